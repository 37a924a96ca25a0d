"""Export: the whole step, from log-Mel segment to decision, as one ONNX file; verified against torch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rtser.engine.contract import METADATA_KEY, OUTPUTS, Metadata
from rtser.engine.decision import Decision
from rtser.engine.features import MEL_BINS, SEGMENT_FRAMES, segment_end_s
from rtser.engine.stream import Stream
from rtser.errors import ModelError
from rtser.models import load_bytes
from rtser.offline import log_mel
from rtser_train.networks.bag_network import BagNetwork, enough_speech, ratio, speech_gate
from rtser_train.networks.segment_network import SegmentNetwork

TOLERANCE = 1e-4
SHORT_WINDOW = 5
"""Segments of a window soon full, verified beside the model's own."""

STATES = ("state_gates", "state_weights", "state_values")


class StreamingStep(nn.Module):
    """The contract of `rtser.engine.model` as a torch module: a decision over a ring of the last W segments.

    Args:
        cnn: the segment network.
        attention: the decision network.
        temperature: divides the logits of the decision (calibration).
    """

    def __init__(self, cnn: SegmentNetwork, attention: BagNetwork, temperature: float) -> None:
        super().__init__()
        self.cnn, self.attention, self.temperature = cnn, attention, temperature

    def forward(
        self, segment: Tensor, gate: Tensor, state_gates: Tensor, state_weights: Tensor, state_values: Tensor
    ) -> tuple[Tensor, ...]:
        """One step of B streams; shapes as in `rtser.engine.model`, 1, D and D as the states' last axes."""
        output = self.cnn(segment)
        speech = output.speech_logits[:, 0].sigmoid()
        gate = gate * speech_gate(speech)
        weights, weighted = self.attention.contributions(output.embeddings[:, 0], gate)
        ring_gates = torch.cat([state_gates[:, 1:], gate[:, None, None]], 1)
        ring_weights = torch.cat([state_weights[:, 1:], weights.unsqueeze(1)], 1)
        ring_values = torch.cat([state_values[:, 1:], weighted.unsqueeze(1)], 1)
        total = ring_weights.sum(1)
        logits = self.attention.decide(ring_weights, ring_values)
        emotions = (logits / self.temperature).softmax(-1) * enough_speech(ring_gates.squeeze(-1)).unsqueeze(-1)
        segment_emotions = output.emotion_logits[:, 0].softmax(-1)
        salience = ratio(weights, total).mean(-1)
        return emotions, segment_emotions, speech, salience, ring_gates, ring_weights, ring_values


class Offline(NamedTuple):
    """What torch says of an utterance's S segments at once: the four outputs of the contract, (S, K) or (S,)."""

    emotions: NDArray[np.float32]
    segment_emotions: NDArray[np.float32]
    speech: NDArray[np.float32]
    salience: NDArray[np.float32]


@torch.no_grad()
def whole_utterance(step: StreamingStep, log_mel: NDArray[np.float32], window: int) -> Offline:
    """What torch decides offline: the CNN over the whole utterance in one pass, each window's attention afresh.

    Args:
        log_mel: (T, 64), T >= 32.
        window: in segments.
    """
    output = step.cnn(torch.from_numpy(log_mel).unsqueeze(0))
    speech = output.speech_logits[0].sigmoid()
    gates = functional.pad(speech_gate(speech), (window, 0))
    weights, weighted = step.attention.contributions(output.embeddings[0], gates[window:])
    emotions, salience = [], []
    for last in range(1, len(speech) + 1):
        part = slice(max(0, last - window), last)
        total = weights[part].sum(0)
        logits = step.attention.decide(weights[part].unsqueeze(0), weighted[part].unsqueeze(0))[0]
        enough = enough_speech(gates[last : last + window].unsqueeze(0))
        emotions.append((logits / step.temperature).softmax(-1) * enough)
        salience.append(ratio(weights[last - 1], total).mean())
    segment_emotions = output.emotion_logits[0].softmax(-1)
    return Offline(*(part.numpy() for part in (torch.stack(emotions), segment_emotions, speech, torch.stack(salience))))


def export(step: StreamingStep, metadata: Metadata) -> bytes:
    """The model file's content; no local paths, no second file."""
    step = step.eval()
    features = step.attention.features
    example = (
        torch.zeros(2, SEGMENT_FRAMES, MEL_BINS),
        torch.ones(2),
        *(torch.zeros(2, 3, size) for size in (1, features, features)),
    )
    streams, window = torch.export.Dim("B"), torch.export.Dim("W", min=1)
    states = {0: streams, 1: window}
    program = torch.onnx.export(
        step,
        example,
        dynamo=True,
        external_data=False,
        verbose=False,
        input_names=["segment", "gate", *STATES],
        output_names=[*OUTPUTS, *(f"{name}_next" for name in STATES)],
        dynamic_shapes={"segment": {0: streams}, "gate": {0: streams}} | dict.fromkeys(STATES, states),
    )
    assert program is not None
    model = program.model_proto
    _strip(model)
    onnx.helper.set_model_props(model, {METADATA_KEY: metadata.to_json()})
    content: bytes = model.SerializeToString()
    return content


def verify(content: bytes, step: StreamingStep, recordings: Iterable[NDArray[np.float32]]) -> float:
    """Stream real utterances, (n,) samples each, through the exported file and compare with torch offline.

    Returns:
        the largest absolute difference of any value of any decision.

    Raises:
        ModelError: it exceeds 1e-4, or the recordings hold no segment.
    """
    model = load_bytes(content, provider="cpu")
    worst = -1.0
    for samples in recordings:
        for window in (SHORT_WINDOW, model.metadata.window):
            if decisions := Stream(model, segment_end_s(window - 1)).push(samples):
                worst = max(worst, largest_difference(decisions, step, samples, window))
    if worst < 0:
        raise ModelError("no recording to verify the export with is as long as one segment")
    if not worst <= TOLERANCE:
        raise ModelError(f"the exported file differs from torch by {worst:.2g}, more than {TOLERANCE:g}")
    return worst


def largest_difference(
    decisions: Sequence[Decision], step: StreamingStep, samples: NDArray[np.float32], window: int
) -> float:
    """Largest absolute difference between streamed decisions and `whole_utterance`."""
    offline = whole_utterance(step, log_mel(samples), window)
    silent = dict.fromkeys(decisions[0].segment_emotions, 0.0)
    streamed = Offline(
        np.array([list((decision.emotions or silent).values()) for decision in decisions], np.float32),
        np.array([list(decision.segment_emotions.values()) for decision in decisions], np.float32),
        np.array([decision.speech for decision in decisions], np.float32),
        np.array([decision.salience for decision in decisions], np.float32),
    )
    return max(float(np.abs(ours - its).max()) for ours, its in zip(streamed, offline, strict=True))


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
