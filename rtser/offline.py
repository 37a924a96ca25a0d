"""The log-Mel spectrogram of a whole recording, with the bits that a stream of the same samples computes."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from rtser.engine.features import (
    FIRST_HOP_SAMPLES,
    HOP_SAMPLES,
    MEL_BINS,
    TAIL_SAMPLES,
    Float32,
    block_log_mel,
)


def log_mel(samples: Float32) -> Float32:
    """Log-Mel of a whole recording: the very frames that a stream of the same samples computes.

    Args:
        samples: shape (n,), float32 at 16 kHz.

    Returns:
        shape (2 + 6 h, 64), float32, where h = (n - 560) // 960 whole hops follow the first; (0, 64) below 560
        samples. Samples after the last whole hop take no part.
    """
    if len(samples) < FIRST_HOP_SAMPLES:
        return np.empty((0, MEL_BINS), np.float32)
    first = block_log_mel(samples[:FIRST_HOP_SAMPLES])
    rest = samples[FIRST_HOP_SAMPLES - TAIL_SAMPLES :]
    if len(rest) < TAIL_SAMPLES + HOP_SAMPLES:
        return first
    blocks = sliding_window_view(rest, TAIL_SAMPLES + HOP_SAMPLES)[::HOP_SAMPLES]
    return np.concatenate([first, block_log_mel(blocks).reshape(-1, MEL_BINS)])
