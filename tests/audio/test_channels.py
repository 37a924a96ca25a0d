"""From several channels to one."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtser.audio.channels import ChannelMix
from rtser.audio.resample import MonoResampler

RATE = 8_000


def noise(seconds, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


def mixed(channels, cuts=(), channel=None):
    mix = ChannelMix("a.wav", RATE, channel)
    return np.concatenate([mix.mix(block) for block in np.split(np.stack(channels, 1), sorted(cuts))])


def test_channels_are_averaged():
    first, second = noise(1, 1), noise(1, 2)
    assert np.array_equal(mixed([first, second]), np.stack([first, second], 1).mean(1))


@pytest.mark.parametrize("share", [0.95, 0.8])
def test_of_channels_that_cancel_the_loudest_is_used_and_that_is_said(share, caplog):
    sound = noise(1)
    with caplog.at_level(logging.WARNING, "rtser"):
        heard = mixed([-share * sound, sound])
    assert np.array_equal(heard[RATE // 4 :], sound[RATE // 4 :])
    assert [one.getMessage() for one in caplog.records] == [
        "a.wav: its 2 channels cancel in their mean. Channel 1, the loudest, is used instead."
    ]


def test_a_silent_beginning_decides_nothing():
    sound = np.concatenate([np.zeros(RATE, np.float32), noise(1)])
    assert np.array_equal(mixed([sound, -sound])[RATE + RATE // 4 :], sound[RATE + RATE // 4 :])


def test_a_call_in_which_one_of_two_speaks_does_not_cancel():
    assert np.array_equal(mixed([noise(1), np.zeros(RATE, np.float32)]), noise(1) / 2)


def test_a_channel_that_was_asked_for_is_taken():
    sound = noise(1)
    assert np.array_equal(mixed([sound, -2 * sound], channel=0), sound)


@given(st.lists(st.integers(0, RATE), max_size=8))
def test_how_the_sound_is_cut_changes_nothing(cuts):
    sound = np.concatenate([np.zeros(RATE // 2, np.float32), noise(0.5)])
    assert np.array_equal(mixed([sound, -0.9 * sound], cuts), mixed([sound, -0.9 * sound]))


def test_the_choice_holds_over_a_gap():
    sound = noise(1)
    block = np.stack([sound, -sound], 1)
    resampler = MonoResampler("a.wav", RATE)
    resampler.convert(block)
    resampler.flush()
    after = np.concatenate([resampler.convert(block[:800]), resampler.flush()])
    assert np.abs(after).mean() > 0.03
