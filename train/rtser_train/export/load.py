"""A model file back in torch: for fine-tuning, and to convert a file of contract 1."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor

from rtser.engine.contract import CONTRACT_VERSION, HOP_FRAMES, METADATA_KEY, OUTPUTS, SEGMENT_FRAMES, Metadata
from rtser.errors import ModelError
from rtser.models.providers import open_session
from rtser_train.export.onnx_export import SHORT_WINDOW, TOLERANCE, export
from rtser_train.export.step import StreamingStep, whole_utterance
from rtser_train.fitting.calibration import Calibration
from rtser_train.front_end import log_mel
from rtser_train.networks.context import Context
from rtser_train.networks.segment_network import convolution_of
from rtser_train.registry import HEADS, SEGMENT_NETWORKS
from rtser_train.settings import ENERGY_FLOOR, SIZES

EPSILON = 1e-5
"""Epsilon of PyTorch's batch norm."""


def load_step(content: bytes) -> tuple[StreamingStep, Metadata]:
    """The networks of a model file, in evaluation mode on the CPU, and the file's metadata.

    Args:
        content: the content of a file that `rtser export` wrote.

    Raises:
        ModelError: the file is damaged, or does not say how its networks are made.
    """
    weights, text = _read(content)
    metadata = Metadata.from_json(text)
    if not metadata.networks:
        raise ModelError("it does not say how its networks are made", "name a file that rtser export wrote")
    try:
        step = make_step(metadata.networks, len(metadata.labels), _calibration(metadata.calibration))
        step.load_state_dict({name: weights[name] for name in step.state_dict() if name in weights}, strict=False)
        missing = [name for name in step.state_dict() if name not in weights and "num_batches" not in name]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"its weights cannot be loaded into torch ({error})", "export its run again") from None
    if missing:
        raise ModelError(f"its weights cannot be loaded into torch ({missing[0]} is missing)", "export its run again")
    return step.eval(), metadata


def make_step(networks: Mapping[str, Any], emotions: int, calibration: Calibration) -> StreamingStep:
    """Untrained networks as a file's metadata (`Metadata.networks`) describes them."""
    widths = tuple(networks["widths"])
    cnn = SEGMENT_NETWORKS.get(networks["segment_network"])(
        emotions, widths, networks["embedding"], 0.0, networks.get("level", False)
    )
    width = networks.get("context", 0)
    context = Context(networks["embedding"], width) if width else None
    head = HEADS.get(networks["head"])(networks["embedding"] + width, emotions, networks["features"], 0.0)
    return StreamingStep(cnn, head, calibration, context, networks.get("energy_floor", ENERGY_FLOOR))


def _calibration(told: Mapping[str, Any]) -> Calibration:
    """The calibration in a file's metadata."""
    return Calibration(float(told["temperature"]), float(told.get("slope", 0.0)))


def convert(content: bytes) -> bytes:
    """A file of contract 1 as one of this contract, with the same weights.

    Raises:
        ModelError: it is not a file of contract 1, or not one that `rtser export` wrote with SegCNN and Feature-Att.
    """
    weights, text = _read(content)
    try:
        about = json.loads(text)
        if about["contract"] != 1:
            raise ModelError(f"it follows contract {about['contract']}, and only files of contract 1 are converted")
        networks = _networks_of_contract_1(weights)
        step = make_step(networks, len(about["labels"]), _calibration(about["calibration"]))
        _fill(step, weights)
        kept = {key: about[key] for key in ("name", "labels", "window", "architecture", "corpora", "licence")}
        kept |= {key: about[key] for key in ("calibration", "measures", "limits")}
        new = {"label_threshold": float(about["min_confidence"]), "networks": networks, "states": []}
        metadata = Metadata.model_validate({"contract": CONTRACT_VERSION} | kept | new)
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise ModelError(f"it cannot be converted ({type(error).__name__}: {error})", "export its run again") from None
    return export(step, metadata)


def check_conversion(old: bytes, step: StreamingStep, samples: NDArray[np.float32]) -> None:
    """Stream samples (n,) through a file of contract 1, segment by segment, and compare with its converted networks.

    Raises:
        ModelError: a value differs by more than the export may.
    """
    session = open_session(old, "cpu", 1)
    states = {node.name: node.shape for node in session.get_inputs() if node.name.startswith("state_")}
    state = {name: np.zeros((1, SHORT_WINDOW, *shape[2:]), np.float32) for name, shape in states.items()}
    frames = log_mel(samples)
    outputs = []
    for start in range(0, len(frames) - SEGMENT_FRAMES + 1, HOP_FRAMES):
        inputs = {"segment": frames[None, start : start + SEGMENT_FRAMES], "gate": np.ones(1, np.float32)}
        names = [*OUTPUTS, *(f"{name}_next" for name in state)]
        values = session.run(names, inputs | state)
        outputs.append(values[: len(OUTPUTS)])
        state = dict(zip(state, values[len(OUTPUTS) :], strict=True))
    offline = whole_utterance(step, frames, SHORT_WINDOW)
    ours = [np.concatenate(column) for column in zip(*outputs, strict=True)]
    worst = float(np.max([np.abs(one - its).max() for one, its in zip(ours, offline, strict=True)]))
    if not worst <= TOLERANCE:
        raise ModelError(f"its converted networks differ by {worst:.2g} from the file", "export its run again")


def _read(content: bytes) -> tuple[dict[str, Tensor], str]:
    """The weights of a file by name, and its metadata's text."""
    try:
        model = onnx.load_from_string(content)
        stored = {one.key: one.value for one in model.metadata_props}[METADATA_KEY]
    except Exception as error:  # protobuf's own types, and KeyError
        raise ModelError("it is not a model file of rtser", "name one that rtser export wrote") from error
    weights = {one.name: torch.from_numpy(np.array(onnx.numpy_helper.to_array(one))) for one in model.graph.initializer}
    return weights, stored


def _networks_of_contract_1(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """The make of the networks of a file of contract 1, found from its weights."""
    widths = [len(weights[f"cnn.columns.{number}.0.weight"]) for number in (0, 4, 7, 10)]
    if tuple(widths) not in SIZES.values():
        raise ValueError(f"widths of {widths} match no known size")
    return {
        "segment_network": "segcnn",
        "widths": widths,
        "embedding": len(weights["cnn.penultimate.1.bias"]),
        "head": "feature-att",
        "features": len(weights["attention.value.bias"]),
    }


def _fill(step: StreamingStep, weights: Mapping[str, Tensor]) -> None:
    """Put the weights of contract 1 in place.

    The exporter of contract 1 folded each batch norm into its convolution, which left a bias. Here this bias becomes
    that of a batch norm that changes nothing else. The exporter also transposed four matrices and lost their names;
    their order is fixed.
    """
    state = step.state_dict()
    for number, block in enumerate(step.cnn.columns.children()):
        if convolution_of(block):
            norm = f"cnn.columns.{number}.1"
            state[f"{norm}.bias"] = weights[f"cnn.columns.{number}.0.weight_bias"]
            state[f"{norm}.running_mean"] = torch.zeros_like(state[f"{norm}.running_mean"])
            state[f"{norm}.running_var"] = torch.ones_like(state[f"{norm}.running_var"]) - EPSILON
            state[f"{norm}.weight"] = torch.ones_like(state[f"{norm}.weight"])
    matrices = [value for name, value in weights.items() if name.startswith("val_") and value.ndim == 2]
    linear = ("cnn.penultimate.1", "cnn.emotion.1", "cnn.speech.0", "cnn.speech.2")
    for name, matrix in zip(linear, matrices, strict=True):
        state[f"{name}.weight"] = matrix.T
    state |= {name: value for name, value in weights.items() if name in state}
    step.load_state_dict(state)
