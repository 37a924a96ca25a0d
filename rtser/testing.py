"""For tests and examples: a tiny model built in memory, and a capture device on a clock of its own."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtser.audio.ring import Ring
from rtser.engine.contract import CONTRACT_VERSION, METADATA_KEY, Metadata
from rtser.engine.features import HOP_SAMPLES, MEL_BINS, SAMPLE_RATE, SEGMENT_FRAMES, SPECIFICATION, Float32
from rtser.engine.model import Model
from rtser.models import load_bytes

Shape = list[str | int]

LABELS = ("angry", "neutral", "sad")
SPEECH_LEVEL = -9.0
"""Mean log-Mel above which the tiny model takes a segment for speech."""

METADATA = Metadata(
    contract=CONTRACT_VERSION,
    name="tiny",
    labels=LABELS,
    features=SPECIFICATION,
    window=10,
    label_threshold=0.4,
    architecture="one random linear layer, for tests",
    corpora=(),
    licence="Apache-2.0",
)


def tiny_model(seed: int = 0, **changes: object) -> Model:
    """A model of the contract with one random layer; a function of its input, but not of emotion.

    Needs the package ``onnx`` (extra ``train``).

    Args:
        seed: of the random layer.
        changes: metadata to replace, such as ``window=5``.
    """
    return load_bytes(tiny_model_bytes(seed, **changes), "tiny", provider="cpu")


def tiny_model_bytes(seed: int = 0, **changes: object) -> bytes:
    """The file content of `tiny_model`."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    kinds = len(LABELS)
    rng = np.random.default_rng(seed)
    constants = {
        "layer": rng.normal(0, 0.003, (SEGMENT_FRAMES * MEL_BINS, kinds)),
        "flat": np.array([0, SEGMENT_FRAMES * MEL_BINS]),
        "level": np.array(SPEECH_LEVEL),
        "half": np.array(0.5),
        "two": np.array(2.0),
        "least": np.array(1e-20),
        "window_axis": np.array([1]),
        "last_axis": np.array([-1]),
        "one": np.array([1]),
        "end": np.array([2**31 - 1]),
    }
    initializers = [
        numpy_helper.from_array(value.astype(np.int64 if value.dtype.kind == "i" else np.float32), name)
        for name, value in constants.items()
    ]
    steps: list[tuple[str, str, str, dict[str, Any]]] = [
        ("Reshape", "segment flat", "x", {}),
        ("MatMul", "x layer", "logits", {}),
        ("Softmax", "logits", "segment_emotions", {"axis": 1}),
        ("ReduceMean", "x window_axis", "loudness", {"keepdims": 0}),
        ("Sub", "loudness level", "above", {}),
        ("Sigmoid", "above", "speech", {}),
        ("Sub", "speech half", "over", {}),
        ("Mul", "over two", "scaled", {}),
        ("Relu", "scaled", "gate_by_speech", {}),
        ("Mul", "gate_by_speech gate", "w", {}),
        ("Unsqueeze", "w last_axis", "weight", {}),
        ("Mul", "weight segment_emotions", "value", {}),
        ("Unsqueeze", "weight window_axis", "new_weight", {}),
        ("Unsqueeze", "value window_axis", "new_value", {}),
        ("Slice", "state_weights one end window_axis", "old_weights", {}),
        ("Slice", "state_values one end window_axis", "old_values", {}),
        ("Concat", "old_weights new_weight", "state_weights_next", {"axis": 1}),
        ("Concat", "old_values new_value", "state_values_next", {"axis": 1}),
        ("ReduceSum", "state_weights_next window_axis", "weights", {"keepdims": 0}),
        ("ReduceSum", "state_values_next window_axis", "values", {"keepdims": 0}),
        ("Max", "weights least", "divisor", {}),
        ("Div", "values divisor", "emotions", {}),
        ("Div", "weight divisor", "share", {}),
        ("Squeeze", "share last_axis", "salience", {}),
    ]
    nodes = [helper.make_node(kind, inputs.split(), [output], **more) for kind, inputs, output, more in steps]

    def tensors(shapes: dict[str, Shape]) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]

    states: dict[str, Shape] = {"state_weights": ["B", "W", 1], "state_values": ["B", "W", kinds]}
    outputs: dict[str, Shape] = {"emotions": ["B", kinds], "segment_emotions": ["B", kinds]}
    outputs.update({"speech": ["B"], "salience": ["B"]})
    outputs.update({f"{name}_next": shape for name, shape in states.items()})
    graph = helper.make_graph(
        nodes,
        "tiny",
        tensors({"segment": ["B", SEGMENT_FRAMES, MEL_BINS], "gate": ["B"], **states}),
        tensors(outputs),
        initializers,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    metadata = METADATA.model_copy(update=changes)
    helper.set_model_props(model, {METADATA_KEY: metadata.to_json()})
    content: bytes = model.SerializeToString()
    return content


class VirtualDevice:
    """A capture device whose clock goes as fast as it is read (a `rtser.audio.source.CaptureDevice`).

    Args:
        sound: what it delivers, over and over, (n,), float32; n is a multiple of `HOP_SAMPLES`.
        clock: shared with the supervisor.
        start: what the ring's counters begin with.
        lasts_s: after so many seconds the device has gone; None for never.
    """

    name = "virtual"
    sample_rate = SAMPLE_RATE
    channels = 1

    def __init__(self, sound: Float32, clock: VirtualClock, start: int = 0, lasts_s: float | None = None) -> None:
        self._sound, self._clock = sound[:, None], clock
        self.ring = Ring(SAMPLE_RATE, self.channels, start)
        self.delivered = 0
        self._last = None if lasts_s is None else round(lasts_s * SAMPLE_RATE)

    @property
    def ended(self) -> bool:
        """Whether the device has gone."""
        return self._last is not None and self.delivered >= self._last

    def wait(self, timeout_s: float) -> None:
        """Let the time of the next hop pass, and its sound arrive."""
        if self.ended:
            self._clock.now_s += timeout_s
            return
        at = self.delivered % len(self._sound)
        self.ring.write(self._sound[at : at + HOP_SAMPLES])
        self.delivered += HOP_SAMPLES
        self._clock.now_s += HOP_SAMPLES / SAMPLE_RATE

    def close(self) -> None:
        """Nothing is held."""


class VirtualClock:
    """Seconds that pass when a `VirtualDevice` is waited for."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now_s
