"""How late the sound of a live source comes, by the clock."""

from __future__ import annotations

import time

COMPARED_S = 30.0
"""Length of a period. Arrivals are compared with the earliest one of the last period or two."""


class Lateness:
    """By how much the sound of a device comes too late, by the clock.

    The system's clock and the device's clock drift apart by seconds a day. So an arrival is compared only with the
    earliest arrival of the last half to whole minute.

    Args:
        sample_rate: of the device, in Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._least_s = self._least_before_s = float("inf")
        self._turn_s = float("-inf")

    def note(self, now_s: float, written: int) -> float:
        """Note that so many frames have arrived by now; returns how many seconds they are late."""
        offset_s = now_s - written / self._sample_rate
        if now_s > self._turn_s:
            self._turn_s = now_s + COMPARED_S
            self._least_before_s, self._least_s = self._least_s, offset_s
        self._least_s = min(self._least_s, offset_s)
        return offset_s - min(self._least_s, self._least_before_s)

    def lag_s(self, now_s: float, frames: int) -> float:
        """Seconds from when a frame was due until now."""
        return now_s - frames / self._sample_rate - min(self._least_s, self._least_before_s)


def elapsed_s() -> float:
    """Seconds since the machine started. If the system can tell, they include the time that it slept."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)
