"""Sound that another program writes while it is recognised."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, Full, Queue

from rtser.audio.file import AudioFile
from rtser.audio.source import Chunk
from rtser.errors import InputError

WAIT_S = 0.1
"""Longest time until the end is noticed."""
AHEAD = 50
"""How many blocks are read ahead. Then the writer waits."""


class LiveInput:
    """Reads a pipe in a thread of its own, so that a silent writer cannot delay the end (a `Source`).

    Args:
        audio: the open pipe.
        stop: ends the sound as soon as it is set.
    """

    def __init__(self, audio: AudioFile, stop: threading.Event) -> None:
        self._audio, self._stop = audio, stop
        self._read: Queue[Chunk | InputError | None] = Queue(AHEAD)
        self.name, self.sample_rate, self.trouble = audio.name, audio.sample_rate, ""

    def lag_s(self) -> None:
        """None: a pipe does not say when its sound was due."""

    def chunks(self) -> Iterator[Chunk]:
        """Give out the sound until the writer closes the pipe; raises what `AudioFile.chunks` raises."""
        threading.Thread(target=self._fill, daemon=True).start()
        while not self._stop.is_set():
            with suppress(Empty):
                read = self._read.get(timeout=WAIT_S)
                if read is None:
                    return
                if isinstance(read, InputError):
                    raise read
                yield read

    def _fill(self) -> None:
        end: InputError | None = None
        try:
            for chunk in self._audio.chunks():
                self._put(chunk)
        except InputError as error:
            end = error
        self._put(end)

    def _put(self, read: Chunk | InputError | None) -> None:
        waits = True
        while waits and not self._stop.is_set():
            with suppress(Full):
                self._read.put(read, timeout=WAIT_S)
                waits = False
