"""SegCNN: the segment network that is aligned with the hop."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rtser.engine.contract import HOP_FRAMES, MEL_BINS
from rtser_train.networks.randomness import Dropout2d
from rtser_train.networks.segment_network import SegmentNetwork, convolution, convolution_of
from rtser_train.registry import SEGMENT_NETWORKS

BEFORE_STEM = 4
"""Frames that the stem sees for a column, beyond the two frames between its columns."""


@SEGMENT_NETWORKS.register("SegCNN")
class SegCNN(SegmentNetwork):
    """Aligned with the hop: one pass over the frames yields the columns of all segments.

    No convolution pads in time, time is pooled by 2 and then by 3, so the total stride is the 6-frame hop and exactly
    32 frames give one column:

        32 -conv3-> 30 -conv3-> 28 -pool2-> 14 -conv3-> 12 -pool3-> 4 -conv3-> 2 -conv2-> 1

    Overlapping segments share their columns, and one pass over T frames yields all 1 + (T - 32) / 6 segments with the
    values that each would have alone.

    Attributes:
        stem: number of first blocks; they turn six frames into one column of half the bins, every two frames.
    """

    stem = 3

    def _columns(self, widths: tuple[int, int, int, int], dropout: float) -> tuple[nn.Module, int]:
        a, b, c, d = widths
        columns = nn.Sequential(
            *self._stem(a),
            Dropout2d(dropout / 4),
            convolution(a, b, 3),
            nn.MaxPool2d((3, 2)),
            Dropout2d(dropout / 2),
            convolution(b, c, 3),
            nn.MaxPool2d((1, 2)),
            Dropout2d(dropout / 2),
            convolution(c, d, 2),
            nn.MaxPool2d((1, 2)),
        )
        return columns, d * (MEL_BINS // 16)

    def _stem(self, width: int) -> list[nn.Module]:
        return [convolution(1, width, 3), convolution(width, width, 3), nn.MaxPool2d((2, 2))]

    def carried(self) -> dict[str, tuple[int, ...]]:
        """The last frames before the stem, and the last columns before each later convolution.

        The stem computes the frames of its last columns again. This costs less than to carry the outputs of its
        convolutions and to put them before the new ones.
        """
        shapes: dict[str, tuple[int, ...]] = {"frames": (BEFORE_STEM, MEL_BINS)}
        bins = MEL_BINS // 2
        for number, block in enumerate(self.columns.children()):
            found = convolution_of(block)
            if number < self.stem:
                continue
            if found:
                shapes[f"columns_{number}"] = (found.in_channels, found.kernel_size[0] - 1, bins)
            elif isinstance(block, nn.MaxPool2d):
                bins //= 2
        return shapes

    def step(self, frames: Tensor, carried: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One hop: six frames give three columns after the stem and one after the pooling by 3.

        The strides are aligned as in a segment. Four frames precede the stream, and the stem uses up four more: these 8
        are a multiple of 2. After the stem they are 4 columns, and the next convolution uses up 2 more: these 6 are a
        multiple of 3.
        """
        last, *before = carried
        seen = torch.cat([last, frames], 1)
        x, after = seen.unsqueeze(1), [seen[:, HOP_FRAMES:]]
        for number, block in enumerate(self.columns.children()):
            found = convolution_of(block)
            if found and number >= self.stem:
                new, x, kept = x, torch.cat([before[len(after) - 1], x], 2), found.kernel_size[0] - 1
                newest = new if new.shape[2] >= kept else x  # the hop's own columns, if they are enough
                after.append(newest[:, :, newest.shape[2] - kept :])
            x = block(x)
        return x.permute(0, 2, 3, 1).flatten(1), after

    def each_column(self, frames: Tensor) -> Tensor:
        """One pass over (B, T, 64)."""
        columns: Tensor = self.columns(frames.unsqueeze(1)).permute(0, 2, 3, 1).flatten(2)
        return columns
