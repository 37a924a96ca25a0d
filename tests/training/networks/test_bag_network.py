"""What all heads share."""

from __future__ import annotations

import pytest
import torch
from rtser_train.networks.bag_network import enough_speech


@pytest.mark.parametrize(
    ("gate", "enough"),
    [([1, 1, 1, 0, 0, 0, 0, 0], True), ([1, 1, 0.9, 0, 0, 0, 0, 0], False), ([1, 1, 0, 0], True), ([0, 0], False)],
)
def test_a_window_is_decided_on_with_three_segments_of_speech_or_half_of_a_short_one(gate, enough):
    assert enough_speech(torch.tensor([gate], dtype=torch.float32)).tolist() == [enough]
