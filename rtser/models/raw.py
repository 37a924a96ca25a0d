"""The network's own outputs for a whole recording, hop by hop: no decider, and restarts only on request."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from rtser.engine.contract import FIRST_SEGMENT_HOP, HOP_SAMPLES, LEAD_SAMPLES, Float32, checked_samples
from rtser.engine.model import Model


@dataclass(frozen=True)
class RawOutputs:
    """The outputs of the contract for S segments (H = S + 5 hops), and the states after the last one.

    Attributes:
        emotions: (S, K).
        segment_emotions: (S, K).
        speech: (S,).
        salience: (S,).
        extras: by name, such as ``embedding`` (S, F) and ``log_mel`` (H, 6, 64), if they were asked for.
        state: by name, without the batch axis.
    """

    emotions: Float32
    segment_emotions: Float32
    speech: Float32
    salience: Float32
    extras: dict[str, Float32]
    state: dict[str, Float32]

    def __len__(self) -> int:
        return len(self.speech)


def raw_outputs(
    model: Model, samples: Float32, window: int, restarts: Collection[int] = (), extras: Sequence[str] = ()
) -> RawOutputs:
    """Run the network over a recording.

    Args:
        model: from `rtser.load`.
        samples: (n,), float32 in [-1, 1], 16 kHz.
        window: length of the decision window in segments.
        restarts: segments before which the window is forgotten, counted from 0.
        extras: outputs to compute besides.
    """
    padded = np.concatenate([np.zeros(LEAD_SAMPLES, np.float32), checked_samples(samples)])
    hops = padded[: len(padded) // HOP_SAMPLES * HOP_SAMPLES].reshape(-1, 1, HOP_SAMPLES)
    state, outputs = model.initial_state(1, window), []
    for number, hop in enumerate(hops):
        output = model.step(hop, np.full(1, number - FIRST_SEGMENT_HOP in restarts, np.float32), state, extras)
        state = output.state
        outputs.append(output)
    segments = outputs[FIRST_SEGMENT_HOP:]
    kinds = len(model.labels)
    shapes = {"emotions": (0, kinds), "segment_emotions": (0, kinds), "speech": (0,), "salience": (0,)}
    parts = {
        name: np.concatenate([np.zeros(shape, np.float32), *(getattr(one, name) for one in segments)])
        for name, shape in shapes.items()
    }
    more = {
        name: np.concatenate([one.extras[name] for one in (outputs if name == "log_mel" else segments)])
        for name in extras
        if outputs
    }
    return RawOutputs(**parts, extras=more, state={name: one[0] for name, one in zip(model.states, state, strict=True)})
