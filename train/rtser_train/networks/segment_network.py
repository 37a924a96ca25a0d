"""The base of the segment networks: from log-Mel frames to one embedding a segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rtser.engine.contract import HOP_FRAMES, MEL_BINS, SEGMENT_FRAMES
from rtser_train.networks.randomness import Dropout


class SegmentOutput(NamedTuple):
    """What the CNN says of S segments in each of B bags.

    Attributes:
        embeddings: (B, S, F), the penultimate layer.
        emotion_logits: (B, S, K), whose softmax is equation (1).
        speech_logits: (B, S), whose sigmoid is the probability that the segment holds speech.
    """

    embeddings: Tensor
    emotion_logits: Tensor
    speech_logits: Tensor


class SegmentNetwork(nn.Module):
    """From log-Mel frames to one embedding, emotion posterior and speech probability a segment.

    VGG-style, our choice (the paper's stack is unknown). Subclasses say how frames become one column a segment.

    Args:
        emotions: number of classes K.
        widths: channels of the four stages.
        embedding: dimension F of the embeddings.
        dropout: rate before each of the two fully-connected layers; by channel, a quarter of it after the first pooling
            and half of it after the next two.

    Attributes:
        mean: (64,), of the training frames, by which they are normalised.
        deviation: (64,), their standard deviation.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(
        self,
        emotions: int,
        widths: tuple[int, int, int, int],
        embedding: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(MEL_BINS))
        self.register_buffer("deviation", torch.ones(MEL_BINS))
        self.columns, column = self._columns(widths, dropout)
        self.penultimate = nn.Sequential(Dropout(dropout), nn.Linear(column, embedding), nn.ReLU())
        self.emotion = nn.Sequential(Dropout(dropout), nn.Linear(embedding, emotions))
        self.speech = nn.Sequential(nn.Linear(column, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, log_mel: Tensor) -> SegmentOutput:
        """All segments of (B, T, 64) log-Mel frames, T >= 32; S = 1 + (T - 32) // 6."""
        return self.output(self.each_column(self.normalised(log_mel)))

    def normalised(self, log_mel: Tensor) -> Tensor:
        """Log-Mel frames (B, T, 64) less their mean, over their deviation."""
        return (log_mel - self.mean) / self.deviation

    def output(self, columns: Tensor) -> SegmentOutput:
        """What follows the columns (..., C) of some segments; the outputs have the same leading axes."""
        embeddings = self.penultimate(columns)
        return SegmentOutput(embeddings, self.emotion(embeddings), self.speech(columns).squeeze(-1))

    def carried(self) -> dict[str, tuple[int, ...]]:
        """What a stream keeps from hop to hop: shapes by name, without the batch axis.

        Here the last 26 frames, so that each hop computes its whole segment. A network that is aligned with the hop
        keeps less and computes less.
        """
        return {"frames": (SEGMENT_FRAMES - HOP_FRAMES, MEL_BINS)}

    def step(self, frames: Tensor, carried: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One hop of B streams.

        Args:
            frames: (B, 6, 64), normalised.
            carried: from the hop before, in the order of `carried`; zeros at the start.

        Returns:
            the column (B, C) of the segment that ends with the hop, and what the next hop needs.
        """
        (before,) = carried
        segment = torch.cat([before, frames], 1)
        return self.each_column(segment).squeeze(1), [segment[:, HOP_FRAMES:]]

    def _columns(self, widths: tuple[int, int, int, int], dropout: float) -> tuple[nn.Module, int]:
        """The convolutions, and how many features a column has."""
        raise NotImplementedError

    def each_column(self, frames: Tensor) -> Tensor:
        """Columns (B, S, C) of the segments of normalised frames (B, T, 64)."""
        raise NotImplementedError


def convolution_of(block: nn.Module) -> nn.Conv2d | None:
    """The convolution of a block made by `convolution`; None for another module."""
    first = block[0] if isinstance(block, nn.Sequential) else None
    return first if isinstance(first, nn.Conv2d) else None


def convolution(inputs: int, outputs: int, frames: int, padded: bool = False) -> nn.Sequential:
    """Convolution over `frames` frames and 3 Mel bins, padded in frequency, in time only if asked; batch norm; ReLU."""
    padding = (frames // 2 if padded else 0, 1)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, (frames, 3), padding=padding, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )
