"""Export: the whole step, from samples to decision, as one ONNX file; verified against torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnxscript import ir, optimizer, rewriter
from onnxscript.rewriter.pattern import RewriteRule
from onnxscript.rewriter.rules import common

from rtser.engine.contract import EXTRAS, HOP_SAMPLES, METADATA_KEY, OUTPUTS, Metadata, segment_count
from rtser.errors import ModelError
from rtser.models import load_bytes
from rtser.models.raw import RawOutputs, raw_outputs
from rtser_train.export.step import StreamingStep, whole_utterance
from rtser_train.front_end import log_mel

TOLERANCE = 1e-4
SHORT_WINDOW = 5
"""Segments of a short window, which is soon full; it is verified beside the model's own window."""
LARGEST_CONSTANT = 1024
"""Maximum number of values of a constant that is folded; weights are larger, or are used unchanged."""
RESTART_SHARE = 0.05
"""Share of the segments that restart in the verification."""


def _constants(_: Any, less: ir.Value, slope: ir.Value | None = None, **__: Any) -> bool:
    """Whether the slope and the subtrahend of a line are constants with a single value."""
    tensors = [ir.convenience.get_const_tensor(value) for value in (less, slope) if value is not None]
    return all(tensor is not None and tensor.size == 1 for tensor in tensors)


def _number(value: ir.Value) -> float:
    constant = ir.convenience.get_const_tensor(value)
    assert constant is not None
    return float(constant.numpy().item())


def _clipped_line(op: Any, x: ir.Value, less: ir.Value, slope: ir.Value | None = None) -> Any:
    """One node for slope x - less, clipped to 0..1."""
    return op.HardSigmoid(x, alpha=1.0 if slope is None else _number(slope), beta=-_number(less))


SIMPLER = (
    common.collapse_slice_rule,
    common.materialize_reshape_shape_rule,
    common.squeeze_reshape_1d_rule,
    common.unsqueeze_unsqueeze_rule,
    RewriteRule(lambda op, x, axis: op.Unsqueeze(op.Squeeze(x, axis), axis), lambda op, x, **_: op.Identity(x)),
    RewriteRule(
        lambda op, x, slope, less: op.Clip(op.Sub(op.Mul(x, slope), less), 0.0, 1.0), _clipped_line, _constants
    ),
    RewriteRule(lambda op, x, less: op.Clip(op.Sub(x, less), 0.0, 1.0), _clipped_line, _constants),
)
"""Rules that remove nodes which do nothing, or make one node of several; none of them touches a weight."""


def export(step: StreamingStep, metadata: Metadata) -> bytes:
    """The model file's content; no local paths, no second file.

    Args:
        step: the networks.
        metadata: the metadata; its `states` are replaced by those of the step.
    """
    step = step.eval()
    states = step.states()
    example = (torch.zeros(2, HOP_SAMPLES), torch.zeros(2), step.zeros(streams=2, window=3))
    streams, window = torch.export.Dim("B"), torch.export.Dim("W", min=1)
    shapes = [{0: streams} | ({1: window} if "W" in shape else {}) for _, shape in states.values()]
    program = torch.onnx.export(
        step,
        example,
        dynamo=True,
        external_data=False,
        optimize=False,  # would fold batch norms and weights, and the file could not be loaded back
        verbose=False,
        input_names=["samples", "restart", *states],
        output_names=[*OUTPUTS, *EXTRAS, *(f"{name}_next" for name in states)],
        dynamic_shapes={"samples": {0: streams}, "restart": {0: streams}, "states": shapes},
    )
    assert program is not None
    model = _folded(program.model)
    _strip(model)
    described = metadata.model_copy(update={"states": tuple(state for state, _ in states.values())})
    onnx.helper.set_model_props(model, {METADATA_KEY: described.to_json()})
    content: bytes = model.SerializeToString()
    return content


def verify(content: bytes, step: StreamingStep, recordings: Iterable[NDArray[np.float32]]) -> float:
    """Stream real utterances, (n,) samples each, through the exported file and compare with torch offline.

    Each utterance is streamed with two windows, without restarts and with restarts at random hops.

    Returns:
        the largest absolute difference of any value of any decision.

    Raises:
        ModelError: it exceeds 1e-4, or the recordings hold no segment.
    """
    model = load_bytes(content, provider="cpu")
    rng = np.random.default_rng(0)
    differences: list[float] = []
    for samples in recordings:
        segments = segment_count(len(samples))
        some = np.flatnonzero(rng.random(segments) < RESTART_SHARE).tolist()
        for window in (SHORT_WINDOW, model.metadata.window):
            for restarts in ([], some):
                if segments:
                    outputs = raw_outputs(model, samples, window, restarts)
                    differences.append(largest_difference(outputs, step, samples, window, restarts))
    if not differences:
        raise ModelError("no recording to verify the export with is as long as one segment")
    worst = float(np.max(differences))  # NaN if one is
    if not worst <= TOLERANCE:
        raise ModelError(f"the exported file differs from torch by {worst:.2g}, more than {TOLERANCE:g}")
    return worst


def largest_difference(
    outputs: RawOutputs,
    step: StreamingStep,
    samples: NDArray[np.float32],
    window: int,
    restarts: Sequence[int] = (),
) -> float:
    """Largest absolute difference between outputs made hop by hop and `whole_utterance`."""
    offline = whole_utterance(step, log_mel(samples, step.front_end.floor), window, restarts)
    differences = (np.abs(getattr(outputs, name) - one).max() for name, one in offline._asdict().items())
    return float(np.max(list(differences)))


def _folded(model: ir.Model) -> onnx.ModelProto:
    """The graph without the exporter's constant arithmetic; this halves its time. Weights keep their names."""
    for _ in range(2):
        optimizer.fold_constants(model, onnx_shape_inference=True, input_size_limit=LARGEST_CONSTANT)
        model = rewriter.rewrite(model, SIMPLER)
        optimizer.remove_unused_nodes(model)
    return ir.serde.serialize_model(model)


def _strip(model: onnx.ModelProto) -> None:
    """Remove what the exporter notes about this machine: source paths, stack traces, doc strings."""
    model.doc_string = ""
    del model.metadata_props[:]
    for graph in (model.graph, *model.functions):
        graph.doc_string = ""
        del graph.metadata_props[:]
        for node in graph.node:
            node.doc_string = ""
            del node.metadata_props[:]
    for value in (*model.graph.input, *model.graph.output, *model.graph.value_info):
        del value.metadata_props[:]
    for tensor in model.graph.initializer:
        del tensor.metadata_props[:]
