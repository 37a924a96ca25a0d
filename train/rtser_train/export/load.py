"""A model file back in torch: for fine-tuning, and to convert a file of contract 1."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor

from rtser.engine.contract import CONTRACT_VERSION, METADATA_KEY, Metadata
from rtser.errors import ModelError
from rtser_train.config import SIZES
from rtser_train.export.onnx_export import export
from rtser_train.export.step import StreamingStep
from rtser_train.networks.segment_network import convolution_of
from rtser_train.registry import HEADS, SEGMENT_NETWORKS

EPSILON = 1e-5
"""That of PyTorch's batch norm."""


def load_step(content: bytes) -> tuple[StreamingStep, Metadata]:
    """The networks of a model file, in evaluation mode on the CPU, and what the file says of itself.

    Args:
        content: of a file that `rtser export` wrote.

    Raises:
        ModelError: the file is damaged, or does not say how its networks are made.
    """
    weights, text = _read(content)
    metadata = Metadata.from_json(text)
    try:
        step = make_step(metadata.networks, len(metadata.labels), float(metadata.calibration["temperature"]))
        step.load_state_dict({name: weights[name] for name in step.state_dict() if name in weights}, strict=False)
        missing = [name for name in step.state_dict() if name not in weights and "num_batches" not in name]
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"its weights cannot be loaded into torch ({error})", "export its run again") from None
    if missing:
        raise ModelError(f"its weights cannot be loaded into torch ({missing[0]} is missing)", "export its run again")
    return step.eval(), metadata


def make_step(networks: Mapping[str, Any], emotions: int, temperature: float) -> StreamingStep:
    """Untrained networks as a file's metadata (`Metadata.networks`) describes them."""
    widths = tuple(networks["widths"])
    cnn = SEGMENT_NETWORKS.get(networks["segment_network"])(emotions, widths, networks["embedding"], 0.0)
    head = HEADS.get(networks["head"])(networks["embedding"], emotions, networks["features"], 0.0)
    return StreamingStep(cnn, head, temperature)


def convert(content: bytes) -> bytes:
    """A file of contract 1 as one of this contract, with the same weights.

    Raises:
        ModelError: it is not a file of contract 1, or not one that `rtser export` wrote with SegCNN and Feature-Att.
    """
    weights, text = _read(content)
    about = json.loads(text)
    if about.get("contract") != 1:
        raise ModelError(f"it follows contract {about.get('contract')}, and only files of contract 1 are converted")
    try:
        networks = _networks_of_contract_1(weights)
        step = make_step(networks, len(about["labels"]), float(about["calibration"]["temperature"]))
        _fill(step, weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ModelError(f"its weights cannot be converted ({error})", "export its run again") from None
    kept = {key: about[key] for key in ("name", "labels", "window", "architecture", "corpora", "licence")}
    kept |= {key: about[key] for key in ("calibration", "measures", "limits")}
    new = {"label_threshold": float(about["min_confidence"]), "networks": networks, "states": []}
    metadata = Metadata.model_validate({"contract": CONTRACT_VERSION} | kept | new)
    return export(step, metadata)


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
    """How the networks of a file of contract 1 are made, read off its weights."""
    widths = [len(weights[f"cnn.columns.{number}.0.weight"]) for number in (0, 4, 7, 10)]
    if tuple(widths) not in SIZES.values():
        raise ValueError(f"widths of {widths} are of no known size")
    return {
        "segment_network": "segcnn",
        "widths": widths,
        "embedding": len(weights["cnn.penultimate.1.bias"]),
        "head": "feature-att",
        "features": len(weights["attention.value.bias"]),
    }


def _fill(step: StreamingStep, weights: Mapping[str, Tensor]) -> None:
    """Put the weights of contract 1 in place.

    The exporter of contract 1 folded each batch norm into its convolution, which left a bias; here it becomes the bias
    of a batch norm that changes nothing else. It transposed four matrices and lost their names; their order is fixed.
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
