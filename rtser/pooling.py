"""One embedding for an utterance: the mean of its segments' embeddings, weighted by the network's attention."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtser.engine.contract import Float32, segment_end_s

Float64 = NDArray[np.float64]
TINY_S = 1e-6


def segments_between(times: Float64, start_s: float, end_s: float) -> slice:
    """Which segments make up an utterance.

    Args:
        times: (S,), ends of the segments in seconds, rising.
        start_s: start of its first segment, in seconds.
        end_s: end of its last segment.
    """
    return slice(*np.searchsorted(times, [start_s + segment_end_s(0) - TINY_S, end_s + TINY_S]).tolist())


def attention_mean(embeddings: Float32, salience: Float64, window: int) -> Float32:
    """The mean of an utterance's embeddings (F,), float32, weighted by `attention_weights`.

    Args:
        embeddings: (n, F), of its segments.
        salience: (n,).
        window: length of the decision window in segments.
    """
    weights = attention_weights(salience, window)
    mean: Float32 = np.average(embeddings, axis=0, weights=weights if weights.any() else None).astype(np.float32)
    return mean


def attention_weights(salience: Float64, window: int) -> Float64:
    """How much attention each segment of an utterance gets, over the whole utterance: (n,), to a common scale.

    A segment's salience is its share of its window, s = w / (w + the sum over the segments before it in the window). So
    each weight follows from those before it: exactly where all dimensions of the attention weigh alike, nearly else.

    Args:
        salience: (n,), of the segments from the utterance's first on.
        window: length of the decision window in segments.
    """
    weights = np.zeros(len(salience))
    for segment, share in enumerate(salience):
        before = weights[max(0, segment - window + 1) : segment].sum()
        weights[segment] = share * before / max(1 - share, 1e-6) if before > 0 else float(share > 0)
    return weights
