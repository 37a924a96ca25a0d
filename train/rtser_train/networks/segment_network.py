"""The base of the segment networks: from log-Mel frames to one embedding per segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from rtser.engine.contract import HOP_FRAMES, MEL_BINS, SEGMENT_FRAMES
from rtser_train.networks.randomness import Dropout

LEVEL_DECAY = 0.014
"""Decay of the running level, in nepers of energy per frame: 6 dB per second."""
LEAST_LEVEL = -14.0
"""The least running level: about 12 dB above the quantisation of 16 bits. Silence has this level."""


class SegmentOutput(NamedTuple):
    """The CNN's outputs for S segments in each of B bags.

    Attributes:
        embeddings: (B, S, F), the penultimate layer.
        emotion_logits: (B, S, K), whose softmax is equation (1).
        speech_logits: (B, S), whose sigmoid is the probability that the segment holds speech.
    """

    embeddings: Tensor
    emotion_logits: Tensor
    speech_logits: Tensor


class SegmentNetwork(nn.Module):
    """From log-Mel frames to one embedding, emotion posterior and speech probability per segment.

    VGG-style, our choice (the paper's stack is unknown). Subclasses say how frames become one column per segment.

    Args:
        emotions: number of classes K.
        widths: channels of the four stages.
        embedding: dimension F of the embeddings.
        dropout: rate before each of the two fully-connected layers; by channel, a quarter of it after the first pooling
            and half of it after the next two.
        level: whether frames are seen relative to the running level (`levels`).

    Attributes:
        mean: (64,), mean of the training frames (relative to the level), for the normalisation.
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
        level: bool = False,
    ) -> None:
        super().__init__()
        self.level = level
        self.register_buffer("mean", torch.zeros(MEL_BINS))
        self.register_buffer("deviation", torch.ones(MEL_BINS))
        self.columns, column = self._columns(widths, dropout)
        self.penultimate = nn.Sequential(Dropout(dropout), nn.Linear(column, embedding), nn.ReLU())
        self.emotion = nn.Sequential(Dropout(dropout), nn.Linear(embedding, emotions))
        self.speech = nn.Sequential(nn.Linear(column, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, log_mel: Tensor) -> SegmentOutput:
        """All segments of (B, T, 64) log-Mel frames, T >= 32; S = 1 + (T - 32) // 6."""
        return self.output(self.each_column(self.normalised(self.levelled(log_mel))))

    def levelled(self, log_mel: Tensor) -> Tensor:
        """Log-Mel frames (B, T, 64), relative to the running level if the network has one."""
        return log_mel - levels(log_mel).unsqueeze(-1) if self.level else log_mel

    def normalised(self, levelled: Tensor) -> Tensor:
        """Frames (B, T, 64) less their mean, over their deviation."""
        return (levelled - self.mean) / self.deviation

    def output(self, columns: Tensor) -> SegmentOutput:
        """The outputs for the columns (..., C) of some segments, with the same leading axes."""
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


def levels(log_mel: Tensor) -> Tensor:
    """The running level of frames (B, T, 64), (B, T): a peak that decays.

    m_t = max(e_t, m_{t-1} - d, L), where e is the logarithm of a frame's mean energy, d = `LEVEL_DECAY` and
    L = `LEAST_LEVEL`. Where sound is louder than L, a gain adds the same to log-Mel and level, and so changes nothing.
    """
    energy = _energy(log_mel).double()  # over a long recording the decay adds up
    decay = LEVEL_DECAY * torch.arange(log_mel.shape[1], dtype=torch.float64, device=log_mel.device)
    return ((energy + decay).cummax(1).values - decay).clamp_min(LEAST_LEVEL).float()


def next_levels(log_mel: Tensor, before: Tensor) -> Tensor:
    """`levels` of a hop's frames (B, 6, 64), (B, 6), from the level before them, (B, 1)."""
    step = torch.arange(HOP_FRAMES, dtype=torch.float32)
    passed = step.unsqueeze(1) - step
    decay = torch.where(passed >= 0, LEVEL_DECAY * passed, torch.inf)
    peaks = (_energy(log_mel).unsqueeze(1) - decay).amax(-1)
    return torch.maximum(peaks, before - LEVEL_DECAY * (step + 1)).clamp_min(LEAST_LEVEL)


def _energy(log_mel: Tensor) -> Tensor:
    return log_mel.exp().mean(-1).log()


def convolution_of(block: nn.Module) -> nn.Conv2d | None:
    """The convolution of a block made by `convolution`; None for another module."""
    first = block[0] if isinstance(block, nn.Sequential) else None
    return first if isinstance(first, nn.Conv2d) else None


def convolution(inputs: int, outputs: int, frames: int, padded: bool = False, stride: int = 1) -> nn.Sequential:
    """Convolution over `frames` frames and 3 Mel bins, padded in frequency, in time only if asked; batch norm; ReLU."""
    padding = (frames // 2 if padded else 0, 1)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, (frames, 3), stride, padding, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()
    )
