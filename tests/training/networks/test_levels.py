"""The running level."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rtser_train.networks.segment_network import LEAST_LEVEL, LEVEL_DECAY, levels, next_levels
from rtser_train.registry import SEGMENT_NETWORKS
from rtser_train.settings import SIZES


def frames(hops, seed, level=-6.0):
    return level + 3 * torch.randn(2, 6 * hops, 64, generator=torch.Generator().manual_seed(seed))


@settings(max_examples=25, deadline=None)
@given(hops=st.integers(1, 30), seed=st.integers(0, 99), level=st.floats(-25, 3))
def test_hop_by_hop_it_is_the_same_as_over_the_whole(hops, seed, level):
    log_mel = frames(hops, seed, level)
    now, steps = torch.full((2, 1), LEAST_LEVEL), []
    for hop in range(hops):
        steps.append(next_levels(log_mel[:, 6 * hop : 6 * hop + 6], now))
        now = steps[-1][:, -1:]
    assert torch.allclose(levels(log_mel), torch.cat(steps, 1), atol=1e-5)


def test_a_peak_decays_by_six_decibels_a_second():
    log_mel = torch.full((1, 101, 64), -30.0)
    log_mel[:, 0] = 0.0
    found = levels(log_mel)[0]
    assert found[0] == pytest.approx(0.0, abs=1e-6)
    assert found[100] == pytest.approx(-100 * LEVEL_DECAY, abs=1e-5)


def test_silence_has_the_least_level():
    assert (levels(torch.full((1, 9, 64), -25.0)) == LEAST_LEVEL).all()


def test_louder_speech_is_the_same_to_a_network_with_a_level():
    torch.manual_seed(0)
    with_level, without = (
        SEGMENT_NETWORKS.get("segcnn")(3, SIZES["tiny"], 8, 0.0, level).eval() for level in (True, False)
    )
    speech = frames(20, 0)
    louder = speech + 4.0
    assert torch.allclose(with_level(speech).emotion_logits, with_level(louder).emotion_logits, atol=1e-4)
    assert not torch.allclose(without(speech).emotion_logits, without(louder).emotion_logits, atol=1e-4)
