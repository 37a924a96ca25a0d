"""Whether an ONNX file is a model of the contract."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtser.engine.contract import EXTRAS, HOP_FRAMES, HOP_SAMPLES, MEL_BINS, METADATA_KEY, OUTPUTS, Metadata
from rtser.engine.model import Model
from rtser.errors import ModelError


def checked_model(session: Any, sha256: str, source: str) -> Model:
    """The model of a session (see `Model`), whose tensors and step are those of the contract.

    Raises:
        ModelError: the file is not a model of this contract.
    """
    stored = session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
    if stored is None:
        raise ModelError("it is an ONNX file, but not a model of rtser (no rtser metadata)")
    metadata = Metadata.from_json(stored)
    _check_names(session, [state.name for state in metadata.states])
    model = Model(session, metadata, sha256, source)
    if not any("W" in shape for shape in model.states.values()):
        raise ModelError("none of its states has a dimension W, the window", "export it again")
    _try_step(model)
    return model


def _check_names(session: Any, states: list[str]) -> None:
    """Check the names of the graph's tensors."""
    inputs, outputs = ({node.name for node in nodes} for nodes in (session.get_inputs(), session.get_outputs()))
    if inputs != {"samples", "restart", *states} or outputs != {*OUTPUTS, *EXTRAS, *(f"{one}_next" for one in states)}:
        raise ModelError("its inputs and outputs are not those of the contract", "export it again")


def _try_step(model: Model) -> None:
    """Run one hop of two silent streams: a file may declare the contract's tensors and still break it."""
    try:
        state = model.initial_state(streams=2, window=3)
        output = model.step(np.zeros((2, HOP_SAMPLES), np.float32), np.zeros(2, np.float32), state, EXTRAS)
    except Exception as error:  # ONNX Runtime raises many types here, some of them private
        raise ModelError(f"its step does not run as the contract says ({str(error).splitlines()[0]})") from None
    shapes = [value.shape for value in (*output[:4], output.extras["log_mel"], *output.state)]
    kinds, frames = (2, len(model.labels)), (2, HOP_FRAMES, MEL_BINS)
    if shapes != [kinds, kinds, (2,), (2,), frames, *(before.shape for before in state)]:
        raise ModelError("its step's outputs have other shapes than the contract says", "export it again")
