"""Problems with the level of a source: no signal, too quiet, or clipping."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, Float32

NO_SIGNAL, TOO_QUIET, CLIPPING = "no signal", "too quiet", "clipping"
ADVICE = {
    NO_SIGNAL: "the input is silent (muted?)",
    TOO_QUIET: "raise the input's level",
    CLIPPING: "lower the input's level",
}
"""Advice for each problem."""
SILENT_DB = -90.0
"""Below this there are only zeros or the noise of the converter: a muted or unplugged input."""
QUIET_DB = -60.0
"""The shipped model misses speech whose loudest 60 ms are below this, in dB of full scale."""
FULL_SCALE = 0.999
CLIPPED_SAMPLES = 3
"""Samples at full scale in 60 ms that show a cut-off peak; a recording with the largest clean level has fewer."""
CLIPPED_HOPS = 3
SHORT_S, LONG_S = 3.0, 10.0
"""Seconds until "no signal" or clipping is reported, and seconds until "too quiet" is."""


class _Block(NamedTuple):
    samples: int
    loudest: float
    clipped_hops: int


class LevelMeter:
    """Finds problems with the level, in the last seconds and in all sound so far."""

    def __init__(self) -> None:
        self._recent: deque[_Block] = deque()
        self._recent_samples = self._clipped_hops = 0
        self._loudest: float | None = None

    def note(self, samples: Float32) -> None:
        """Measure a block (n,), float32, 16 kHz; an empty block changes nothing."""
        if not len(samples):
            return
        starts = np.arange(0, len(samples), HOP_SAMPLES)
        loudest = float(np.add.reduceat(np.square(samples), starts).max()) / min(len(samples), HOP_SAMPLES)
        full = np.abs(samples) >= FULL_SCALE
        clipped = int((np.add.reduceat(full.astype(int), starts) >= CLIPPED_SAMPLES).sum()) if full.any() else 0
        self._recent.append(_Block(len(samples), loudest, clipped))
        self._recent_samples += len(samples)
        while self._recent_samples - self._recent[0].samples >= LONG_S * SAMPLE_RATE:
            self._recent_samples -= self._recent.popleft().samples
        self._loudest = max(loudest, self._loudest or 0.0)
        self._clipped_hops += clipped

    @property
    def problem(self) -> str:
        """The present problem; empty if there is none, or if too little was heard."""
        last = self._last(SHORT_S)
        if last and sum(block.clipped_hops for block in last) >= CLIPPED_HOPS:
            return CLIPPING
        if self._recent_samples >= SHORT_S * SAMPLE_RATE and _db(last) < SILENT_DB:
            return NO_SIGNAL
        return TOO_QUIET if self._recent_samples >= LONG_S * SAMPLE_RATE and _db(self._recent) < QUIET_DB else ""

    @property
    def findings(self) -> str:
        """The problem with all sound so far; empty if there was none."""
        if self._clipped_hops >= CLIPPED_HOPS:
            return f"{CLIPPING} for {self._clipped_hops * HOP_SAMPLES / SAMPLE_RATE:.1f} s"
        return "" if self._loudest is None else level_problem(decibels(self._loudest))

    def _last(self, seconds: float) -> list[_Block]:
        """The blocks of the last seconds."""
        blocks, samples = [], 0
        for block in reversed(self._recent):
            if samples >= seconds * SAMPLE_RATE:
                break
            blocks.append(block)
            samples += block.samples
        return blocks


def level_problem(loudest_db: float) -> str:
    """The problem with sound whose loudest 60 ms have this level, in dB of full scale; empty if there is none."""
    return NO_SIGNAL if loudest_db < SILENT_DB else TOO_QUIET if loudest_db < QUIET_DB else ""


def decibels(power: float) -> float:
    """A mean square in dB of full scale, at least -120."""
    return 10 * math.log10(max(power, 1e-12))


def _db(blocks: list[_Block] | deque[_Block]) -> float:
    return decibels(max(block.loudest for block in blocks))
