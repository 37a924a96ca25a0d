"""For tests and examples: a tiny model built in memory, and a capture device on a virtual clock."""

from __future__ import annotations

from typing import Any

import numpy as np

from rtser.audio.ring import Ring
from rtser.engine.contract import (
    FIRST_SEGMENT_HOP,
    FRAME_HOP_SAMPLES,
    FRAME_SAMPLES,
    HOP_FRAMES,
    HOP_SAMPLES,
    MEL_BINS,
    METADATA_KEY,
    SAMPLE_RATE,
    SEGMENT_FRAMES,
    Float32,
    Metadata,
    State,
)
from rtser.engine.model import Model
from rtser.models import load_bytes

Shape = list[str | int]

LABELS = ("angry", "neutral", "sad")
SPEECH_LEVEL = -8.0
"""If the mean of the log frames is above this, the tiny model treats a segment as speech."""
TAIL_SAMPLES = FRAME_SAMPLES - FRAME_HOP_SAMPLES
KINDS = len(LABELS)
STATES: dict[str, tuple[str, Shape]] = {
    "state_tail": ("stream", ["B", TAIL_SAMPLES]),
    "state_hops": ("stream", ["B", 1]),
    "state_frames": ("stream", ["B", SEGMENT_FRAMES - HOP_FRAMES, MEL_BINS]),
    "state_weights": ("utterance", ["B", "W", 1]),
    "state_values": ("utterance", ["B", "W", KINDS]),
}

METADATA = Metadata(
    name="tiny",
    labels=LABELS,
    window=10,
    label_threshold=0.4,
    states=tuple(State(name=name, role="of the tiny model", reset=reset) for name, (reset, _) in STATES.items()),
    architecture="one random linear layer, for tests",
    corpora=(),
    licence="Apache-2.0",
)


def tiny_model(seed: int = 0, **changes: object) -> Model:
    """A model of the contract with one random layer; it depends on its input, but knows nothing of emotion.

    Needs the package ``onnx`` (extra ``train``).

    Args:
        seed: seed of the random layer.
        changes: metadata to replace, such as ``window=5``.
    """
    return load_bytes(tiny_model_bytes(seed, **changes), "tiny", provider="cpu")


def tiny_model_bytes(seed: int = 0, **changes: object) -> bytes:
    """The file content of `tiny_model`."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(seed)
    angles = np.outer(np.arange(FRAME_SAMPLES), np.arange(1, MEL_BINS + 1)) * np.pi / (2 * MEL_BINS)
    frame_starts = np.arange(HOP_FRAMES)[:, None] * FRAME_HOP_SAMPLES
    flat = SEGMENT_FRAMES * MEL_BINS
    constants = {
        "cosines": np.cos(angles) * np.hanning(FRAME_SAMPLES)[:, None],
        "places": frame_starts + np.arange(FRAME_SAMPLES),
        "floor": np.array(2.0**-23),
        "layer": rng.normal(0, 0.003, (flat, KINDS)),
        "flat": np.array([0, flat]),
        "level": np.array(SPEECH_LEVEL),
        "half": np.array(0.5),
        "one": np.array(1.0),
        "two": np.array(2.0),
        "most": np.array(float(FIRST_SEGMENT_HOP)),
        "before": np.array(FIRST_SEGMENT_HOP - 1.0),
        "zero": np.array(0.0),
        "least": np.array(1e-20),
        "axis_1": np.array([1]),
        "axis_2": np.array([2]),
        "second": np.array([1]),
        "tail_start": np.array([HOP_SAMPLES - TAIL_SAMPLES]),
        "frames_start": np.array([HOP_FRAMES]),
        "end": np.array([2**31 - 1]),
    }
    initializers = [
        numpy_helper.from_array(value.astype(np.int64 if value.dtype.kind == "i" else np.float32), name)
        for name, value in constants.items()
    ]
    steps: list[tuple[str, str, str, dict[str, Any]]] = [
        ("Concat", "state_tail samples", "block", {"axis": 1}),
        ("Gather", "block places", "frames", {"axis": 1}),
        ("MatMul", "frames cosines", "spectrum", {}),
        ("Mul", "spectrum spectrum", "power", {}),
        ("Max", "power floor", "floored", {}),
        ("Log", "floored", "log_mel", {}),
        ("Concat", "state_frames log_mel", "segment", {"axis": 1}),
        ("Slice", "segment frames_start end axis_1", "state_frames_next", {}),
        ("Slice", "samples tail_start end axis_1", "state_tail_next", {}),
        ("Add", "state_hops one", "one_more", {}),
        ("Min", "one_more most", "state_hops_next", {}),
        ("Sub", "state_hops before", "after", {}),
        ("Clip", "after zero one", "whole", {}),
        ("Reshape", "segment flat", "x", {}),
        ("MatMul", "x layer", "logits", {}),
        ("Softmax", "logits", "posteriors", {"axis": 1}),
        ("Mul", "posteriors whole", "segment_emotions", {}),
        ("ReduceMean", "x axis_1", "loudness", {"keepdims": 1}),
        ("Mul", "loudness whole", "embedding", {}),
        ("Sub", "loudness level", "above", {}),
        ("Sigmoid", "above", "likely", {}),
        ("Mul", "likely whole", "speech_column", {}),
        ("Squeeze", "speech_column axis_1", "speech", {}),
        ("Sub", "speech_column half", "over", {}),
        ("Mul", "over two", "scaled", {}),
        ("Relu", "scaled", "weight", {}),
        ("Mul", "weight posteriors", "value", {}),
        ("Unsqueeze", "weight axis_1", "new_weight", {}),
        ("Unsqueeze", "value axis_1", "new_value", {}),
        ("Sub", "one restart", "kept", {}),
        ("Unsqueeze", "kept axis_1", "kept_column", {}),
        ("Unsqueeze", "kept_column axis_2", "kept_rows", {}),
        ("Slice", "state_weights second end axis_1", "last_weights", {}),
        ("Slice", "state_values second end axis_1", "last_values", {}),
        ("Mul", "last_weights kept_rows", "old_weights", {}),
        ("Mul", "last_values kept_rows", "old_values", {}),
        ("Concat", "old_weights new_weight", "state_weights_next", {"axis": 1}),
        ("Concat", "old_values new_value", "state_values_next", {"axis": 1}),
        ("ReduceSum", "state_weights_next axis_1", "weights", {"keepdims": 0}),
        ("ReduceSum", "state_values_next axis_1", "values", {"keepdims": 0}),
        ("Max", "weights least", "divisor", {}),
        ("Div", "values divisor", "emotions", {}),
        ("Div", "weight divisor", "share", {}),
        ("Squeeze", "share axis_1", "salience", {}),
    ]
    nodes = [helper.make_node(kind, inputs.split(), [output], **more) for kind, inputs, output, more in steps]

    def tensors(shapes: dict[str, Shape]) -> list[onnx.ValueInfoProto]:
        return [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]

    states = {name: shape for name, (_, shape) in STATES.items()}
    outputs: dict[str, Shape] = {"emotions": ["B", KINDS], "segment_emotions": ["B", KINDS], "speech": ["B"]}
    outputs |= {"salience": ["B"], "embedding": ["B", 1], "log_mel": ["B", HOP_FRAMES, MEL_BINS]}
    outputs |= {f"{name}_next": shape for name, shape in states.items()}
    inputs: dict[str, Shape] = {"samples": ["B", HOP_SAMPLES], "restart": ["B"]}
    graph = helper.make_graph(nodes, "tiny", tensors(inputs | states), tensors(outputs), initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    metadata = METADATA.model_copy(update=changes)
    helper.set_model_props(model, {METADATA_KEY: metadata.to_json()})
    content: bytes = model.SerializeToString()
    return content


class VirtualDevice:
    """A capture device whose clock runs as fast as the device is read (a `rtser.audio.source.CaptureDevice`).

    Args:
        sound: the sound that it repeats, (n,), float32; n is a multiple of `HOP_SAMPLES`.
        clock: shared with the supervisor.
        start: first value of the ring's counters.
        lasts_s: seconds until the device is gone; None means that it stays.
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
        """Advance the clock by one hop, and deliver its sound."""
        if self.ended:
            self._clock.now_s += timeout_s
            return
        at = self.delivered % len(self._sound)
        self.ring.write(self._sound[at : at + HOP_SAMPLES])
        self.delivered += HOP_SAMPLES
        self._clock.now_s += HOP_SAMPLES / SAMPLE_RATE

    def close(self) -> None:
        """Do nothing."""


class VirtualClock:
    """A clock that advances when a `VirtualDevice` is waited for, in seconds."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now_s
