"""Converts the channels and the rate of a file or a device to what the engine takes: mono, 16 kHz."""

from __future__ import annotations

import numpy as np
import soxr

from rtser.audio.channels import ChannelMix
from rtser.engine.contract import MAX_SAMPLE, SAMPLE_RATE, Float32


class MonoResampler:
    """Mix to mono (`ChannelMix`) and resample, block by block, without a seam.

    Args:
        name: of the source, for warnings.
        sample_rate: of the input, in Hz.
        channel: which channel to use, counted from 0; None for the mean of all.
    """

    def __init__(self, name: str, sample_rate: int, channel: int | None = None) -> None:
        self._channels = ChannelMix(name, sample_rate, channel)
        self._resampler = None
        if sample_rate != SAMPLE_RATE:
            self._resampler = soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")

    def convert(self, block: Float32) -> Float32:
        """Samples (m,) at 16 kHz for a block (n, channels); the resampler holds some back."""
        return self.resample(self.mix(block))

    def mix(self, block: Float32) -> Float32:
        """Mono samples (n,), at the input's rate, of a block (n, channels)."""
        return self._channels.mix(block)

    def resample(self, mono: Float32) -> Float32:
        """Samples (m,) at 16 kHz for mono samples (n,); the resampler holds some back."""
        if self._resampler is None:
            return mono
        return _limited(self._resampler.resample_chunk(mono))

    def flush(self) -> Float32:
        """What the resampler still holds, at the end of the input or before a gap. After this it begins anew."""
        if self._resampler is None:
            return np.empty(0, np.float32)
        rest = _limited(self._resampler.resample_chunk(np.empty(0, np.float32), last=True))
        self._resampler.clear()
        return rest


def _limited(resampled: Float32) -> Float32:
    """Clip samples. A resampler overshoots at steps, and sound that was valid before must not be refused after it."""
    return np.clip(resampled, -MAX_SAMPLE, MAX_SAMPLE, out=resampled)
