"""A ring of sound between an audio callback and its reader.

The package pa-ringbuffer wraps the ring of PortAudio, which refuses new sound when it is full. Here the oldest sound
makes room, because the newest matters most, and what is lost is counted.
"""

from __future__ import annotations

import numpy as np

from rtser.engine.contract import Float32


class Ring:
    """A preallocated circular buffer, for one writer and one reader on different threads, without a lock.

    Writing never waits. What is not read in time is overwritten, oldest first, and counted in `dropped`. The counters
    are Python integers, so they do not overflow.

    Args:
        capacity: how many frames are kept, at least.
        channels: of a frame.
        start: what the counters begin with.
    """

    def __init__(self, capacity: int, channels: int, start: int = 0) -> None:
        self._frames = np.zeros((capacity, channels), np.float32)
        self._claimed = start
        self.written = start
        self.read_up_to = start
        self.dropped = 0

    @property
    def waiting(self) -> int:
        """Frames written and neither read nor dropped."""
        return self.written - self.read_up_to

    def write(self, block: Float32) -> None:
        """Writer: append a block (n, channels). If it is larger than the ring, only its end is kept."""
        capacity = len(self._frames)
        self._claimed += len(block)  # before the copy, so that the reader knows what may be torn
        kept = block[-capacity:]
        at = (self._claimed - len(kept)) % capacity
        first = min(len(kept), capacity - at)
        self._frames[at : at + first] = kept[:first]
        self._frames[: len(kept) - first] = kept[first:]
        self.written = self._claimed

    def read(self, most: int) -> Float32:
        """Reader: take the oldest waiting frames, at most so many, shape (n, channels)."""
        capacity = len(self._frames)
        while True:
            self.skip_to(self._claimed - capacity)
            count = max(0, min(most, self.waiting))
            taken = self._frames[np.arange(self.read_up_to, self.read_up_to + count) % capacity]
            if self._claimed - self.read_up_to <= capacity:
                self.read_up_to += count
                return taken

    def skip_to(self, position: int) -> None:
        """Reader: drop the frames before a position of the writer's counter."""
        if position > self.read_up_to:
            self.dropped += position - self.read_up_to
            self.read_up_to = position
