"""What a person changes of a run while it lasts: pause, a new beginning, the threshold, the window."""

from __future__ import annotations

import threading

THRESHOLD_STEP = 0.05
WINDOWS_S = (1.0, 2.0, 4.0, 8.0)


class Controls:
    """What is asked for. Any thread may ask; the session does it between two decisions, on its own thread.

    Args:
        label_threshold: from where on an emotion is named, 0..1; None where it cannot be changed.
        window_s: length of the decision window in seconds; None where it cannot be changed.

    Attributes:
        label_threshold, window_s: as they are to be.
        paused: whether nothing is to be recognised: live sound is thrown away.
        holds: whether the source waits while paused, as a file does, so that nothing is thrown away.
    """

    def __init__(self, label_threshold: float | None = None, window_s: float | None = None) -> None:
        self.label_threshold, self.window_s, self.paused = label_threshold, window_s, False
        self.holds = False
        self._restart = threading.Event()

    def pause(self) -> None:
        """Recognise nothing from now on, or go on."""
        self.paused = not self.paused

    def move_threshold(self, steps: int) -> None:
        """Name emotions from a higher or lower probability on, in steps of 0.05."""
        if self.label_threshold is not None:
            moved = round(self.label_threshold / THRESHOLD_STEP + steps) * THRESHOLD_STEP
            self.label_threshold = round(min(1.0, max(0.0, moved)), 2)

    def next_window(self) -> None:
        """Decide over the next longer window of 1, 2, 4 and 8 s; after the longest comes the shortest."""
        if self.window_s is not None:
            longer = [window_s for window_s in WINDOWS_S if window_s > self.window_s]
            self.window_s = min(longer, default=WINDOWS_S[0])

    def restart(self) -> None:
        """Forget what was heard, and begin anew."""
        self._restart.set()

    def take_restart(self) -> bool:
        """Whether a new beginning was asked for since the last call."""
        asked = self._restart.is_set()
        self._restart.clear()
        return asked
