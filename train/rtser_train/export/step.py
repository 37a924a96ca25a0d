"""The contract of `rtser.engine.contract` as a torch module: one hop of B streams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rtser.engine.contract import FIRST_SEGMENT_HOP, FRAME_HOP_SAMPLES, FRAME_SAMPLES, HOP_FRAMES, State
from rtser_train.fitting.calibration import Calibration
from rtser_train.front_end import FrontEnd
from rtser_train.networks.bag_network import BagNetwork, enough_speech, ratio, speech_gate, total
from rtser_train.networks.context import Context
from rtser_train.networks.segment_network import LEAST_LEVEL, SegmentNetwork, next_levels
from rtser_train.settings import ENERGY_FLOOR

TAIL_SAMPLES = FRAME_SAMPLES - FRAME_HOP_SAMPLES
LEVEL, CONTEXT = "state_level", "state_context"
WHOLE_FRAMES_OF_FIRST_HOP = 2
RING = ("state_gates", "state_weights", "state_values")


class StreamingStep(nn.Module):
    """Samples in, decisions out: front-end, segment network, a ring of the last W segments' contributions, decision.

    Args:
        cnn: the segment network.
        attention: the head.
        calibration: from the decision's logits to probabilities.
        context: joins what was said before to each embedding; None: the head sees the embeddings alone.
        energy_floor: of the front-end.
    """

    def __init__(
        self,
        cnn: SegmentNetwork,
        attention: BagNetwork,
        calibration: Calibration,
        context: Context | None = None,
        energy_floor: float = ENERGY_FLOOR,
    ) -> None:
        super().__init__()
        self.front_end = FrontEnd(energy_floor)
        self.cnn, self.attention, self.calibration, self.context = cnn, attention, calibration, context

    def states(self) -> dict[str, tuple[State, tuple[int | str, ...]]]:
        """Each state by name: what the metadata says of it, and its shape without the batch axis; "W": the window."""
        features = self.attention.features
        shapes: dict[str, tuple[str, str, tuple[int | str, ...]]] = {
            "state_tail": ("last samples", "stream", (TAIL_SAMPLES,)),
            "state_hops": ("hops so far, up to 5", "stream", (1,)),
        }
        for name, shape in self.cnn.carried().items():
            shapes[f"state_{name}"] = ("carried by the segment network", "stream", shape)
        if self.cnn.level:
            shapes[LEVEL] = ("running level, above the least", "stream", (1,))
        if self.context is not None:
            shapes[CONTEXT] = ("context of the utterance", "utterance", (self.context.width,))
        for name, size in zip(RING, (1, features, features), strict=True):
            shapes[name] = ("attention ring", "utterance", ("W", size))
        return {
            name: (State.model_validate({"name": name, "role": role, "reset": reset}), shape)
            for name, (role, reset, shape) in shapes.items()
        }

    def zeros(self, streams: int, window: int) -> list[Tensor]:
        """The states of B new streams."""
        shapes = ([window if size == "W" else int(size) for size in shape] for _, shape in self.states().values())
        return [torch.zeros(streams, *shape) for shape in shapes]

    def forward(self, samples: Tensor, restart: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """One hop.

        Args:
            samples: (B, 960).
            restart: (B,).
            states: in the order of `states`.

        Returns:
            emotions, segment_emotions, speech, salience, embedding, log_mel, then the next states.
        """
        tail, hops, *carried = states[: -len(RING)]
        heard = carried.pop() if self.context is not None else None
        level = carried.pop() if self.cnn.level else None
        log_mel = frames = self.front_end(torch.cat([tail, samples], 1))
        if level is not None:
            frames, level = self._levelled(log_mel, level, hops)
        column, carried = self.cnn.step(self.cnn.normalised(frames), carried)
        if level is not None:
            carried.append(level)
        output = self.cnn.output(column)
        whole = (hops - (FIRST_SEGMENT_HOP - 1)).clamp(0.0, 1.0)  # (B, 1): 1 once the segment holds 32 whole frames
        speech = output.speech_logits.unsqueeze(-1).sigmoid() * whole  # (B, 1), like all single numbers per stream
        gate = speech_gate(speech)
        kept = (1.0 - restart)[:, None, None]
        in_context = output.embeddings
        if self.context is not None and heard is not None:
            heard = self.context.step(output.embeddings, gate, heard * kept.squeeze(-1))
            in_context = torch.cat([output.embeddings, heard], -1)
            carried.append(heard)
        weights, weighted = self.attention.contributions(in_context, gate.squeeze(-1))
        new = (one.unsqueeze(1) for one in (gate, weights, weighted))
        rings = [torch.cat([ring[:, 1:] * kept, one], 1) for ring, one in zip(states[-len(RING) :], new, strict=True)]
        ring_gates, ring_weights, ring_values = rings
        logits = self.attention.decide(ring_weights, ring_values)
        emotions = self.calibration.probabilities(logits, total(ring_gates).squeeze(-1)) * enough_speech(ring_gates)
        segment_emotions = output.emotion_logits.softmax(-1) * whole
        salience = ratio(weights, total(ring_weights)).mean(-1)
        embedding = output.embeddings * whole
        following = [samples[:, -TAIL_SAMPLES:], (hops + 1).clamp_max(FIRST_SEGMENT_HOP), *carried, *rings]
        return emotions, segment_emotions, speech.squeeze(-1), salience, embedding, log_mel, *following

    def _levelled(self, log_mel: Tensor, level: Tensor, hops: Tensor) -> tuple[Tensor, Tensor]:
        """A hop's frames (B, 6, 64) relative to the running level, and the level after them, (B, 1).

        The state is the level minus the least level. The first four frames begin before the stream, and
        do not count.
        """
        whole = torch.maximum(hops, torch.arange(HOP_FRAMES) >= HOP_FRAMES - WHOLE_FRAMES_OF_FIRST_HOP).clamp_max(1.0)
        counted = torch.where(whole.unsqueeze(-1) > 0, log_mel, self.front_end.log_floor)
        levels = next_levels(counted, level + LEAST_LEVEL)
        return log_mel - levels.unsqueeze(-1), levels[:, -1:] - LEAST_LEVEL


class Offline(NamedTuple):
    """torch's outputs for an utterance's S segments at once: the four outputs of the contract, (S, K) or (S,)."""

    emotions: NDArray[np.float32]
    segment_emotions: NDArray[np.float32]
    speech: NDArray[np.float32]
    salience: NDArray[np.float32]


@torch.no_grad()
def whole_utterance(
    step: StreamingStep, log_mel: NDArray[np.float32], window: int, restarts: Sequence[int] = ()
) -> Offline:
    """The decisions of torch offline: one pass of the CNN over the utterance, and attention anew for each window.

    Args:
        step: the networks.
        log_mel: (T, 64), T >= 32.
        window: in segments.
        restarts: segments before which the utterance is forgotten.
    """
    output = step.cnn(torch.from_numpy(log_mel).unsqueeze(0))
    speech = output.speech_logits[0].sigmoid()
    gates = speech_gate(speech)
    in_context = output.embeddings
    if step.context is not None:
        restarting = torch.tensor([number in restarts for number in range(len(gates))], dtype=torch.float32)
        in_context = step.context(output.embeddings, gates.unsqueeze(0), restarting.unsqueeze(0))
    weights, weighted = step.attention.contributions(in_context[0], gates)
    emotions, salience, begin = [], [], 0
    for last in range(1, len(speech) + 1):
        begin = last - 1 if last - 1 in restarts else begin
        part = slice(max(begin, last - window), last)
        logits = step.attention.decide(weights[part].unsqueeze(0), weighted[part].unsqueeze(0))
        enough = enough_speech(functional.pad(gates[part], (window - (last - part.start), 0)).unsqueeze(0))
        emotions.append(step.calibration.probabilities(logits, gates[part].sum().unsqueeze(0))[0] * enough)
        salience.append(ratio(weights[last - 1], weights[part].sum(0)).mean())
    segment_emotions = output.emotion_logits[0].softmax(-1)
    return Offline(*(part.numpy() for part in (torch.stack(emotions), segment_emotions, speech, torch.stack(salience))))
