"""Figures of one run of one source. The session notes them; others read them through a snapshot."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from rtser.engine.contract import Float32
from rtser.level import LevelMeter

KEPT_TIMES = 10_000
"""How many of the last decisions' times are kept: 10 minutes."""
RECENT_TIMES = 1_000
"""How many of them are in a snapshot: one minute."""
SILENCE_DB = -100.0


@dataclass(frozen=True)
class Snapshot:
    """The figures of a run at one moment.

    Attributes:
        level_db: power of the newest block, in dB of full scale; not below -100.
        steps_s: times that the last decisions took, in seconds, newest first.
        latency_s: from the last segment's last sample, by the clock, until its decision; None if not live.
        dropped_samples: sound that arrived and was skipped, in samples at 16 kHz.
        missing_samples: sound that never arrived, while the source was lost; in samples at 16 kHz.
        trouble: what is wrong with the source now; empty if nothing is.
        source: the source's name now; a person may have chosen another one.
        sample_rate: its own, in Hz; 0 before there is one.
        level_problem: what is wrong with the level now (`LevelMeter.problem`).
        level_findings: what was wrong with it in the whole run (`LevelMeter.findings`).
    """

    level_db: float = SILENCE_DB
    steps_s: tuple[float, ...] = ()
    latency_s: float | None = None
    dropped_samples: int = 0
    missing_samples: int = 0
    trouble: str = ""
    source: str = ""
    sample_rate: int = 0
    level_problem: str = ""
    level_findings: str = ""


class RunStatistics:
    """Collects the figures of one run; may be read from any thread.

    Args:
        kept_times: how many decisions' times are kept; None for all.
        meter: judges the level, if somebody needs it.
    """

    def __init__(self, kept_times: int | None = KEPT_TIMES, meter: LevelMeter | None = None) -> None:
        self._meter = meter
        self._lock = threading.Lock()
        self._steps_s: deque[float] = deque(maxlen=kept_times)
        self._latencies_s: deque[float] = deque(maxlen=kept_times)
        self._level_db = SILENCE_DB
        self.decisions = self.dropped_samples = self.missing_samples = 0

    def note_level(self, samples: Float32) -> None:
        """Note the level of a block (n,); an empty one changes nothing."""
        if len(samples):
            power = float(samples @ samples) / len(samples)
            level_db = max(SILENCE_DB, 10 * math.log10(power)) if power > 0 else SILENCE_DB
            with self._lock:
                self._level_db = level_db
                if self._meter:
                    self._meter.note(samples)

    def note_decision(self, step_s: float, latency_s: float | None) -> None:
        """Note how long a decision took, and how late it was, in seconds."""
        with self._lock:
            self.decisions += 1
            self._steps_s.append(step_s)
        if latency_s is not None:
            self.note_latency(latency_s)

    def note_latency(self, latency_s: float) -> None:
        """Note how late a decision was, in seconds, if its step was made elsewhere."""
        with self._lock:
            self._latencies_s.append(latency_s)

    def note_gap(self, arrived: bool, samples: int) -> None:
        """Note sound that is missing, in samples at 16 kHz; `arrived`: it arrived and was skipped."""
        with self._lock:
            if arrived:
                self.dropped_samples += samples
            else:
                self.missing_samples += samples

    def forget_times(self) -> None:
        """Forget the times so far: the warm-up is over."""
        with self._lock:
            self._steps_s.clear()
            self._latencies_s.clear()

    def snapshot(self, trouble: str = "", source: str = "", sample_rate: int = 0) -> Snapshot:
        """The figures as they are now; `trouble`, name and rate are the source's."""
        with self._lock:
            steps_s = tuple(islice(reversed(self._steps_s), RECENT_TIMES))
            latency_s = self._latencies_s[-1] if self._latencies_s else None
            missing = self.dropped_samples, self.missing_samples
            level = (self._meter.problem, self._meter.findings) if self._meter else ("", "")
            return Snapshot(self._level_db, steps_s, latency_s, *missing, trouble, source, sample_rate, *level)

    @property
    def timed_decisions(self) -> int:
        """How many decisions' times are kept now."""
        return len(self._steps_s)

    def step_ms(self) -> dict[str, float | None]:
        """`summary_ms` of the times that the decisions took."""
        with self._lock:
            return summary_ms(self._steps_s)

    def latency_ms(self) -> dict[str, float | None]:
        """`summary_ms` of how late the decisions were."""
        with self._lock:
            return summary_ms(self._latencies_s)


def summary_ms(times_s: Sequence[float]) -> dict[str, float | None]:
    """Median, 99th percentile and maximum of some times, in milliseconds; each None if there are no times."""
    p50, p99, most = (1000 * np.percentile(times_s, [50, 99, 100])).round(3).tolist() if times_s else [None] * 3
    return {"p50": p50, "p99": p99, "max": most}
