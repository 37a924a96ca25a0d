"""Batches: crops, balance and augmentation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from rtser_train.config import Augment
from rtser_train.data.batches import augment, balance, crops, stack
from rtser_train.front_end import LOG_FLOOR
from training.bags import a_bag

from rtser.engine.contract import MEL_BINS

NOTHING = Augment(
    gain_db=0,
    noise_probability=0,
    frequency_warp=0,
    time_warp=0,
    tilt_db=0,
    mask_bins=0,
    telephone_probability=0,
)


def test_padding_is_floor_without_speech_and_not_present():
    batch = stack([a_bag(5), a_bag(30)], segments=12)
    assert batch.log_mel.shape == (2, 32 + 6 * 11, MEL_BINS)
    assert batch.present.sum(1).tolist() == [5, 12]
    assert (batch.log_mel[0, 32 + 6 * 4 :] == LOG_FLOOR).all()
    assert batch.speech[0, 5:].sum() == 0


def test_random_crops_reach_into_the_speech():
    rng = np.random.default_rng(0)
    assert all(stack([a_bag(60)], 20, rng).speech.sum() >= 9 for _ in range(50))


def test_corpora_and_emotions_are_drawn_in_balance():
    bags = [a_bag(label=0)] * 90 + [a_bag(label=1)] * 10 + [a_bag(label=0, corpus="d")] * 10
    weights = balance(bags)
    assert weights.sum() == pytest.approx(1)
    assert weights[:90].sum() == pytest.approx(0.25)
    assert weights[90:100].sum() == pytest.approx(0.25)
    assert weights[100:].sum() == pytest.approx(0.5)


def test_an_epochs_batches_follow_from_its_seed():
    def epoch(seed):
        rng = np.random.default_rng(seed)
        return [batch.log_mel for batch, _ in crops([a_bag(30)] * 8, [a_bag(9, -1)], 10, 4, 16, 0.3, rng)]

    assert all(torch.equal(a, b) for a, b in zip(epoch(1), epoch(1), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(epoch(1), epoch(2), strict=True))


def augmented(settings, noise=None, bag=None):
    batch = stack([bag or a_bag()] * 4, 10)
    return batch, augment(batch, noise, settings, torch.Generator().manual_seed(0))


def test_augmentation_of_nothing_changes_nothing():
    before, after = augmented(NOTHING)
    assert torch.allclose(before.log_mel, after.log_mel, atol=1e-4)
    assert torch.allclose(before.speech, after.speech, atol=1e-4)


def test_augmentation_keeps_shapes_the_floor_and_the_padding():
    noise = stack([a_bag(level=-10.0)] * 4, 10).log_mel
    before, after = augmented(Augment(), noise, a_bag(6))
    assert after.log_mel.shape == before.log_mel.shape
    assert after.log_mel.min() >= LOG_FLOOR - 1e-5
    assert after.log_mel.isfinite().all()
    assert (after.speech[:, 6:] == 0).all()


def test_noise_is_mixed_at_the_level_asked_for():
    noise = stack([a_bag(level=-2.0)] * 4, 10).log_mel
    settings = NOTHING.model_copy(update={"noise_probability": 0.999999, "noise_snr_db": (10.0, 10.0)})
    before, after = augmented(settings, noise)
    added = (after.log_mel.exp() - before.log_mel.exp()).flatten(1).sum(1)
    ratio_db = 10 * torch.log10(before.log_mel.exp().flatten(1).sum(1) / added)
    assert ratio_db.tolist() == pytest.approx([10.0] * 4, abs=0.1)
