"""SegCNN: the segment network that is aligned with the hop."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rtser.engine.contract import HOP_FRAMES, MEL_BINS
from rtser_train.networks.randomness import Dropout2d
from rtser_train.networks.segment_network import SegmentNetwork, convolution, convolution_of
from rtser_train.registry import SEGMENT_NETWORKS

BEFORE_POOLING = 4
"""Frames that the first two convolutions see beyond those of their own column."""


@SEGMENT_NETWORKS.register("SegCNN")
class SegCNN(SegmentNetwork):
    """Aligned with the hop: one pass over the frames yields the columns of all segments.

    No convolution pads in time, time is pooled by 2 and then by 3, so the total stride is the 6-frame hop and exactly
    32 frames give one column:

        32 -conv3-> 30 -conv3-> 28 -pool2-> 14 -conv3-> 12 -pool3-> 4 -conv3-> 2 -conv2-> 1

    Overlapping segments share their columns, and one pass over T frames yields all 1 + (T - 32) / 6 segments with the
    values that each would have alone.
    """

    def _columns(self, widths: tuple[int, int, int, int], dropout: float) -> tuple[nn.Module, int]:
        a, b, c, d = widths
        columns = nn.Sequential(
            convolution(1, a, 3),
            convolution(a, a, 3),
            nn.MaxPool2d((2, 2)),
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

    def carried(self) -> dict[str, tuple[int, ...]]:
        """The last frames before the first two convolutions, and the last columns before each other one.

        The first convolution sees the frames of its last two columns again: that costs less than to carry these, and
        to put them in front of the new ones.
        """
        shapes: dict[str, tuple[int, ...]] = {"frames": (BEFORE_POOLING, MEL_BINS)}
        bins = MEL_BINS
        for number, block in enumerate(self.columns.children()):
            found = convolution_of(block)
            if found and bins < MEL_BINS:
                shapes[f"columns_{number}"] = (found.in_channels, found.kernel_size[0] - 1, bins)
            elif isinstance(block, nn.MaxPool2d):
                bins //= 2
        return shapes

    def step(self, frames: Tensor, carried: Sequence[Tensor]) -> tuple[Tensor, list[Tensor]]:
        """One hop: six frames give three columns after the first pooling and one after the second.

        The poolings fall as in a segment: four frames come before the stream, and the first two convolutions use four
        more; these 8 are a multiple of 2. After the pooling they are 4, and the third convolution uses 2 more; these 6
        are a multiple of 3.
        """
        last, *before = carried
        seen = torch.cat([last, frames], 1)
        x, after, pooled = seen.unsqueeze(1), [seen[:, HOP_FRAMES:]], False
        for block in self.columns.children():
            found = convolution_of(block)
            if found and pooled:
                new, x, kept = x, torch.cat([before[len(after) - 1], x], 2), found.kernel_size[0] - 1
                newest = new if new.shape[2] >= kept else x  # the hop's own, if they are enough
                after.append(newest[:, :, newest.shape[2] - kept :])
            x, pooled = block(x), pooled or isinstance(block, nn.MaxPool2d)
        return x.permute(0, 2, 3, 1).flatten(1), after

    def each_column(self, frames: Tensor) -> Tensor:
        """One pass over (B, T, 64)."""
        columns: Tensor = self.columns(frames.unsqueeze(1)).permute(0, 2, 3, 1).flatten(2)
        return columns
