"""The engine without its network: a session that replays what the network said, to measure all that is around it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from rtser.engine.contract import HOP_S, HOP_SAMPLES, OUTPUTS, Float32
from rtser.engine.model import Model
from rtser.models.checks import checked_model


class NullNetwork:
    """Stands in for an ONNX Runtime session. As long as nothing is recorded, it is that session.

    Its answers follow the clock: every stream hears the same speech, hop by hop, so that deciders have as much to do
    as with the network. A state comes back as it was.

    Args:
        session: the session that it stands for.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._recorded: dict[str, Float32] = {}

    def __getattr__(self, name: str) -> Any:
        """All else is the session's."""
        return getattr(self._session, name)

    def get_providers(self) -> list[str]:
        """No provider of ONNX Runtime: a lone stream is not bound to the session's own network."""
        return ["none"]

    def run(self, names: Sequence[str], inputs: Mapping[str, Float32]) -> list[Float32]:
        """The values of some outputs for B streams."""
        if not self._recorded:
            values: list[Float32] = self._session.run(names, inputs)
            return values
        streams, hops = len(inputs["samples"]), len(self._recorded[OUTPUTS[0]])
        now = int(time.monotonic() / HOP_S) % hops
        return [
            inputs[name.removesuffix("_next")]
            if name.endswith("_next")
            else np.repeat(self._recorded[name][now : now + 1], streams, axis=0)
            for name in names
        ]

    def replay(self, outputs: Mapping[str, Float32]) -> None:
        """From now on, answer with these outputs: by name, (hops, ...)."""
        self._recorded = dict(outputs)


def without_network(session: Any, samples: Float32) -> Model:
    """A model that costs nothing: it repeats the network's outputs for some speech.

    Args:
        session: an ONNX Runtime session of the model file.
        samples: whole hops of speech (n,), float32 at 16 kHz.
    """
    null = NullNetwork(session)
    model = checked_model(null, "", "without its network")
    state, steps = model.initial_state(1, model.metadata.window), []
    for hop in samples.reshape(-1, 1, HOP_SAMPLES):
        step = model.step(hop, np.zeros(1, np.float32), state)
        state = step.state
        steps.append(step[: len(OUTPUTS)])
    null.replay({name: np.concatenate(values) for name, values in zip(OUTPUTS, zip(*steps, strict=True), strict=True)})
    return model
