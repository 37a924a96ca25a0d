"""Stage 1: the segment network."""

from __future__ import annotations

import pytest
from rtser_train.fitting.stage1 import frame_statistics
from training.bags import a_bag

from rtser.engine.features import LOG_FLOOR


def test_a_bin_on_the_floor_throughout_keeps_a_sane_scale():
    bag = a_bag()
    bag.frames[:, 50:] = LOG_FLOOR
    mean, deviation = frame_statistics([bag, bag])
    assert deviation[50:].tolist() == pytest.approx([0.1] * 14)
    assert mean[:50].numpy() == pytest.approx(bag.frames[:, :50].mean(0), abs=1e-4)
    assert deviation[:50].numpy() == pytest.approx(bag.frames[:, :50].std(0), abs=1e-3)
