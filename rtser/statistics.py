"""How a run is doing, in figures: written by those who measure, read by those who show."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rtser.engine.features import Float32

KEPT = 10_000
"""Of how many of the last decisions the times are kept: 10 minutes."""
SILENCE_DB = -100.0


@dataclass
class Vitals:
    """Figures of one source's run.

    Attributes:
        level_db: power of the newest block, in dB of full scale; not below -100.
        steps_s: times that the last decisions took, in seconds.
        latencies_s: from a segment's last sample, by the clock, until its events were out; live sources only.
        dropped_samples: sound that arrived and was not heard, in samples at 16 kHz.
        missing_samples: sound that never arrived, while the source was lost; in samples at 16 kHz.
        trouble: what is wrong with the source now; empty while it is well.
    """

    level_db: float = SILENCE_DB
    steps_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT))
    dropped_samples: int = 0
    missing_samples: int = 0
    trouble: str = ""

    def hear(self, samples: Float32) -> None:
        """Note the level of a block (n,)."""
        power = float(samples @ samples) / len(samples) if len(samples) else 0.0
        self.level_db = max(SILENCE_DB, 10 * math.log10(power)) if power > 0 else SILENCE_DB


def summary_ms(times_s: Sequence[float]) -> dict[str, float | None]:
    """Median, 99th percentile and maximum of some times, in milliseconds; each None without any."""
    p50, p99, most = (1000 * np.percentile(times_s, [50, 99, 100])).round(3).tolist() if times_s else [None] * 3
    return {"p50": p50, "p99": p99, "max": most}
