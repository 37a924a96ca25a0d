"""One embedding for an utterance: the mean of its segments' embeddings, weighted by the network's attention."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rtser.engine.contract import Float32, segment_end_s

Float64 = NDArray[np.float64]
TINY_S = TINY = 1e-6


def segments_between(times: Float64, start_s: float, end_s: float) -> slice:
    """Which segments make up an utterance.

    Args:
        times: (S,), ends of the segments in seconds, rising.
        start_s: start of its first segment, in seconds.
        end_s: end of its last segment.
    """
    return slice(*np.searchsorted(times, [start_s + segment_end_s(0) - TINY_S, end_s + TINY_S]).tolist())


def attention_mean(embeddings: Float32, salience: Float64, part: slice, window: int) -> Float32:
    """The mean of an utterance's embeddings (F,), float32, weighted by `attention_weights`.

    Args:
        embeddings: (S, F), of a source's segments.
        salience: (S,), of the same segments.
        part: which of them the utterance is.
        window: length of the decision window in segments.
    """
    begin = max(0, part.start - window)  # what came before is in no window of the utterance
    weights = attention_weights(salience[begin : part.stop], window)[part.start - begin :]
    mean: Float32 = np.average(embeddings[part], axis=0, weights=weights if weights.any() else None).astype(np.float32)
    return mean


def attention_weights(salience: Float64, window: int) -> Float64:
    """How much attention each segment gets, on a common scale: (n,); 0 for what the network has forgotten.

    A segment's salience is its share of its window, s = w / (w + the sum over the segments before it in the window). So
    each weight follows from the weights before it. This is exact if all dimensions of the attention weigh alike, and
    nearly exact otherwise. The first speech after a restart has a share of 1.

    Args:
        salience: (n,), of segments that follow each other.
        window: length of the decision window in segments.
    """
    weights = np.zeros(len(salience))
    for segment, share in enumerate(salience):
        before = weights[max(0, segment - window + 1) : segment].sum()
        if before > 0 and share < 1 - TINY:
            weights[segment] = share * before / (1 - share)
        elif share > 0:
            weights[:segment], weights[segment] = 0, 1
    return weights
