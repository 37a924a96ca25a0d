"""Batches: crops, balance and augmentation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from rtser_train.data.batches import NEPERS_PER_DB, Batch, Cropping, augment, balance, crops, stack
from rtser_train.front_end import log_mel
from rtser_train.settings import ENERGY_FLOOR, Augment, Sampling, log_floor
from training.bags import a_bag

from rtser.engine.contract import MEL_BINS, SAMPLE_RATE

LOG_FLOOR = log_floor(ENERGY_FLOOR)

NOTHING = Augment(
    gain_db=0,
    noise_probability=0,
    frequency_warp=0,
    time_warp=0,
    tilt_db=0,
    mask_bins=0,
    telephone_probability=0,
)


def cropping(segments, margin=None):
    return Cropping(segments, LOG_FLOOR, margin)


def test_padding_is_floor_without_speech_and_not_present():
    batch = stack([a_bag(5), a_bag(30)], cropping(12))
    assert batch.log_mel.shape == (2, 32 + 6 * 11, MEL_BINS)
    assert batch.present.sum(1).tolist() == [5, 12]
    assert (batch.log_mel[0, 32 + 6 * 4 :] == LOG_FLOOR).all()
    assert batch.speech[0, 5:].sum() == 0


def test_random_crops_reach_into_the_speech():
    rng = np.random.default_rng(0)
    assert all(stack([a_bag(60)], cropping(20), rng).speech.sum() >= 9 for _ in range(50))


def test_corpora_and_emotions_are_drawn_in_balance():
    bags = [a_bag(label=0)] * 90 + [a_bag(label=1)] * 10 + [a_bag(label=0, corpus="d")] * 10
    weights = balance(bags)
    assert weights.sum() == pytest.approx(1)
    assert weights[:90].sum() == pytest.approx(0.25)
    assert weights[90:100].sum() == pytest.approx(0.25)
    assert weights[100:].sum() == pytest.approx(0.5)


def test_a_crop_with_a_margin_keeps_to_the_speech_of_its_bag():
    bag = a_bag(60)  # its second half is speech
    batch = stack([bag] * 200, cropping(60, margin=4), np.random.default_rng(0))
    before = (batch.present - batch.speech).sum(1)
    assert set(before.tolist()) == {0, 1, 2, 3, 4}
    assert (batch.speech.sum(1) == 30).all()


def test_a_corpus_weighs_by_a_power_of_its_speakers_and_its_own_factor():
    many = [a_bag(speaker=f"s{number}") for number in range(9)]
    few, rare = [a_bag(corpus="d")], [a_bag(corpus="e")]
    weights = balance([*many, *few, *rare], Sampling(speaker_power=0.5, weights={"e": 0.5}))
    assert weights[:9].sum() == pytest.approx(6 * weights[10])
    assert weights[9] == pytest.approx(2 * weights[10])


def test_a_speaker_weighs_by_the_square_root_of_his_utterances():
    weights = balance([a_bag(speaker="a")] * 4 + [a_bag(speaker="b")] * 16, Sampling(by_speaker=True))
    assert 2 * weights[:4].sum() == pytest.approx(weights[4:].sum())


def test_utterances_of_no_class_are_drawn_by_their_own_emotions():
    sad, others = [a_bag()] * 3, [replace(a_bag(), label=-1)] * 6
    others[0] = replace(others[0], recording=replace(others[0].recording, emotion="bored"))
    weights = balance([*sad, *others])
    assert weights[:3].sum() == pytest.approx(1 / 3)
    assert weights[3] == pytest.approx(1 / 3)


def test_every_version_of_a_bag_is_drawn():
    levels = (-8.0, -6.0, -4.0)
    bag = replace(a_bag(), versions=tuple(version for level in levels for version in a_bag(level=level).versions))
    batch = stack([bag] * 50, cropping(10), np.random.default_rng(0))
    assert set(batch.log_mel.mean((1, 2)).round().tolist()) == {-8.0, -6.0, -4.0}


def test_a_room_lets_a_sound_fade_by_60_db_in_its_time():
    settings = NOTHING.model_copy(
        update={"reverberation_probability": 0.999999, "reverberation_s": (0.5, 0.5), "late_db": (0.0, 0.0)}
    )
    sound = torch.full((2, 32 + 6 * 19, MEL_BINS), -60.0)
    sound[:, 10] = 0.0
    batch = Batch(sound, torch.zeros(2), torch.ones(2, 20), torch.ones(2, 20), torch.arange(2))
    heard = augment(batch, None, settings, -60.0, torch.Generator().manual_seed(0)).log_mel
    assert heard[:, 10].abs().max() < 1e-3
    faded = (heard[:, 11:51] - heard[:, 12:52]) / NEPERS_PER_DB  # in 10 ms
    assert torch.allclose(faded, torch.full_like(faded, 60 / 50), atol=1e-3)
    assert heard[:, 11:].exp().sum(1).mean() == pytest.approx(1, rel=0.01)


def test_hiss_has_the_level_of_white_noise():
    settings = NOTHING.model_copy(update={"hiss_probability": 0.999999, "hiss_db": (-40.0, -40.0)})
    quiet = stack([a_bag(level=-60.0)], cropping(200))
    hissing = augment(quiet, None, settings, LOG_FLOOR, torch.Generator().manual_seed(0)).log_mel
    noise = np.random.default_rng(0).normal(0, 0.01, SAMPLE_RATE * 12).astype(np.float32)
    assert hissing.exp().mean((0, 1)).numpy() == pytest.approx(np.exp(log_mel(noise)).mean(0), rel=0.2)


def test_an_epochs_batches_follow_from_its_seed():
    def epoch(seed):
        rng = np.random.default_rng(seed)
        return [batch.log_mel for batch, _ in crops([a_bag(30)] * 8, [a_bag(9, -1)], cropping(10), 4, 16, 0.3, rng)]

    assert all(torch.equal(a, b) for a, b in zip(epoch(1), epoch(1), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(epoch(1), epoch(2), strict=True))


def augmented(settings, noise=None, bag=None):
    batch = stack([bag or a_bag()] * 4, cropping(10))
    return batch, augment(batch, noise, settings, LOG_FLOOR, torch.Generator().manual_seed(0))


def test_augmentation_of_nothing_changes_nothing():
    before, after = augmented(NOTHING)
    assert torch.allclose(before.log_mel, after.log_mel, atol=1e-4)
    assert torch.allclose(before.speech, after.speech, atol=1e-4)


def test_augmentation_keeps_shapes_the_floor_and_the_padding():
    noise = stack([a_bag(level=-10.0)] * 4, cropping(10)).log_mel
    before, after = augmented(Augment(), noise, a_bag(6))
    assert after.log_mel.shape == before.log_mel.shape
    assert after.log_mel.min() >= LOG_FLOOR - 1e-5
    assert after.log_mel.isfinite().all()
    assert (after.speech[:, 6:] == 0).all()


def test_noise_is_mixed_at_the_level_asked_for():
    noise = stack([a_bag(level=-2.0)] * 4, cropping(10)).log_mel
    settings = NOTHING.model_copy(update={"noise_probability": 0.999999, "noise_snr_db": (10.0, 10.0)})
    before, after = augmented(settings, noise)
    added = (after.log_mel.exp() - before.log_mel.exp()).flatten(1).sum(1)
    ratio_db = 10 * torch.log10(before.log_mel.exp().flatten(1).sum(1) / added)
    assert ratio_db.tolist() == pytest.approx([10.0] * 4, abs=0.1)
