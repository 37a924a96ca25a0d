"""Changes that a user makes during a run: pause, restart, threshold, window."""

from __future__ import annotations

import threading

THRESHOLD_STEP = 0.05
WINDOWS_S = (1.0, 2.0, 4.0, 8.0)


class Controls:
    """The requested changes. Any thread may request them; the session applies them between two decisions.

    Args:
        label_threshold: lowest probability at which an emotion is named, 0..1; None if it cannot be changed.
        window_s: length of the decision window in seconds; None if it cannot be changed.

    Attributes:
        label_threshold, window_s: the requested values.
        paused: whether recognition should pause; live sound is then thrown away.
        holds: whether the source waits during a pause, as a file does, so that no sound is lost.
    """

    def __init__(self, label_threshold: float | None = None, window_s: float | None = None) -> None:
        self.label_threshold, self.window_s, self.paused = label_threshold, window_s, False
        self.holds = False
        self._restart = threading.Event()

    def pause(self) -> None:
        """Pause, or continue."""
        self.paused = not self.paused

    def move_threshold(self, steps: int) -> None:
        """Raise or lower the threshold, in steps of 0.05."""
        if self.label_threshold is not None:
            moved = round(self.label_threshold / THRESHOLD_STEP + steps) * THRESHOLD_STEP
            self.label_threshold = round(min(1.0, max(0.0, moved)), 2)

    def next_window(self) -> None:
        """Change to the next longer window of 1, 2, 4 and 8 s; after the longest comes the shortest."""
        if self.window_s is not None:
            longer = [window_s for window_s in WINDOWS_S if window_s > self.window_s]
            self.window_s = min(longer, default=WINDOWS_S[0])

    def restart(self) -> None:
        """Forget all earlier sound, and start again."""
        self._restart.set()

    def take_restart(self) -> bool:
        """Whether a restart was requested since the last call."""
        if not self._restart.is_set():
            return False
        self._restart.clear()
        return True
