"""Segment networks: SegCNN, aligned with the hop, and a plain VGG for reference.

VGG-style, our choice (the paper's stack is unknown). No convolution pads in time, time is pooled by 2 and then by 3, so
the total stride is the 6-frame hop and exactly 32 frames give one column:

    32 -conv3-> 30 -conv3-> 28 -pool2-> 14 -conv3-> 12 -pool3-> 4 -conv3-> 2 -conv2-> 1

Overlapping segments therefore share their columns, and one pass over T frames yields all 1 + (T - 32) / 6 segments with
the values that each would have alone.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from rtser.engine.features import HOP_FRAMES, MEL_BINS, SEGMENT_FRAMES

SIZES: dict[str, tuple[int, int, int, int]] = {
    "tiny": (4, 8, 8, 16),
    "edge": (16, 32, 64, 128),
    "paper": (64, 128, 256, 256),
}
"""Channels of the four stages by size name."""


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

    Subclasses say how frames become one column a segment.

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
        widths: tuple[int, int, int, int] = SIZES["edge"],
        embedding: int = 128,
        dropout: float = 0.3,
    ) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(MEL_BINS))
        self.register_buffer("deviation", torch.ones(MEL_BINS))
        self.columns, column = self._columns(widths, dropout)
        self.penultimate = nn.Sequential(nn.Dropout(dropout), nn.Linear(column, embedding), nn.ReLU())
        self.emotion = nn.Sequential(nn.Dropout(dropout), nn.Linear(embedding, emotions))
        self.speech = nn.Sequential(nn.Linear(column, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, log_mel: Tensor) -> SegmentOutput:
        """All segments of (B, T, 64) log-Mel frames, T >= 32; S = 1 + (T - 32) // 6."""
        columns = self.each_column((log_mel - self.mean) / self.deviation)
        embeddings = self.penultimate(columns)
        return SegmentOutput(embeddings, self.emotion(embeddings), self.speech(columns).squeeze(-1))

    def _columns(self, widths: tuple[int, int, int, int], dropout: float) -> tuple[nn.Module, int]:
        """The convolutions, and how many features a column has."""
        raise NotImplementedError

    def each_column(self, frames: Tensor) -> Tensor:
        """Columns (B, S, C) of the segments of normalised frames (B, T, 64)."""
        raise NotImplementedError


class SegCNN(SegmentNetwork):
    """Aligned with the hop: one pass over the frames yields the columns of all segments."""

    def _columns(self, widths: tuple[int, int, int, int], dropout: float) -> tuple[nn.Module, int]:
        a, b, c, d = widths
        columns = nn.Sequential(
            _convolution(1, a, 3),
            _convolution(a, a, 3),
            nn.MaxPool2d((2, 2)),
            nn.Dropout2d(dropout / 4),
            _convolution(a, b, 3),
            nn.MaxPool2d((3, 2)),
            nn.Dropout2d(dropout / 2),
            _convolution(b, c, 3),
            nn.MaxPool2d((1, 2)),
            nn.Dropout2d(dropout / 2),
            _convolution(c, d, 2),
            nn.MaxPool2d((1, 2)),
        )
        return columns, d * (MEL_BINS // 16)

    def each_column(self, frames: Tensor) -> Tensor:
        """One pass over (B, T, 64)."""
        columns: Tensor = self.columns(frames.unsqueeze(1)).permute(0, 2, 3, 1).flatten(2)
        return columns


class PlainCNN(SegmentNetwork):
    """A plain VGG of the same widths and depth: every convolution padded with zeros, every pooling halves both axes.

    Padding makes a column depend on where its segment begins, so each segment is computed apart, at about five times
    the cost of `SegCNN`.
    """

    def _columns(self, widths: tuple[int, int, int, int], dropout: float) -> tuple[nn.Module, int]:
        a, b, c, d = widths
        columns = nn.Sequential(
            _convolution(1, a, 3, padded=True),
            _convolution(a, a, 3, padded=True),
            nn.MaxPool2d(2),
            nn.Dropout2d(dropout / 4),
            _convolution(a, b, 3, padded=True),
            nn.MaxPool2d(2),
            nn.Dropout2d(dropout / 2),
            _convolution(b, c, 3, padded=True),
            nn.MaxPool2d(2),
            nn.Dropout2d(dropout / 2),
            _convolution(c, d, 3, padded=True),
            nn.MaxPool2d(2),
        )
        return columns, d * (MEL_BINS // 16) * (SEGMENT_FRAMES // 16)

    def each_column(self, frames: Tensor) -> Tensor:
        """Each segment of (B, T, 64) on its own."""
        segments = frames.unfold(1, SEGMENT_FRAMES, HOP_FRAMES).transpose(2, 3)
        columns: Tensor = self.columns(segments.flatten(0, 1).unsqueeze(1)).flatten(1)
        return columns.reshape(*segments.shape[:2], -1)


def frames_for(segments: int) -> int:
    """How many frames hold so many segments."""
    return SEGMENT_FRAMES + HOP_FRAMES * (segments - 1)


def _convolution(inputs: int, outputs: int, frames: int, padded: bool = False) -> nn.Sequential:
    """Convolution over `frames` frames and 3 Mel bins, padded in frequency, in time only if asked; batch norm; ReLU."""
    padding = (frames // 2 if padded else 0, 1)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, (frames, 3), padding=padding, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )
