"""A plain VGG, for reference."""

from __future__ import annotations

from torch import Tensor, nn

from rtser.engine.contract import HOP_FRAMES, MEL_BINS, SEGMENT_FRAMES
from rtser_train.networks.randomness import Dropout2d
from rtser_train.networks.segment_network import SegmentNetwork, convolution
from rtser_train.registry import SEGMENT_NETWORKS


@SEGMENT_NETWORKS.register("plain VGG")
class PlainVgg(SegmentNetwork):
    """A plain VGG of the same widths and depth: every convolution padded with zeros, every pooling halves both axes.

    Padding makes a column depend on where its segment begins, so each segment is computed alone, at about five times
    the cost of `SegCNN`.
    """

    def _columns(self, widths: tuple[int, int, int, int], dropout: float) -> tuple[nn.Module, int]:
        a, b, c, d = widths
        columns = nn.Sequential(
            convolution(1, a, 3, padded=True),
            convolution(a, a, 3, padded=True),
            nn.MaxPool2d(2),
            Dropout2d(dropout / 4),
            convolution(a, b, 3, padded=True),
            nn.MaxPool2d(2),
            Dropout2d(dropout / 2),
            convolution(b, c, 3, padded=True),
            nn.MaxPool2d(2),
            Dropout2d(dropout / 2),
            convolution(c, d, 3, padded=True),
            nn.MaxPool2d(2),
        )
        return columns, d * (MEL_BINS // 16) * (SEGMENT_FRAMES // 16)

    def each_column(self, frames: Tensor) -> Tensor:
        """Each segment of (B, T, 64) on its own."""
        segments = frames.unfold(1, SEGMENT_FRAMES, HOP_FRAMES).transpose(2, 3)
        columns: Tensor = self.columns(segments.flatten(0, 1).unsqueeze(1)).flatten(1)
        return columns.reshape(*segments.shape[:2], -1)
