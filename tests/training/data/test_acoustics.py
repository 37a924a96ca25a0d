"""What happens to speech before it is heard, and which noise is held out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from rtser_train.data.acoustics import CODECS, at_level, band_limited, coded, in_room, telephone, with_noise
from rtser_train.data.corpora import Recording, is_held_out
from scipy.signal import correlate

from rtser.engine.contract import SAMPLE_RATE


def power(samples):
    return float(np.mean(np.square(samples, dtype=np.float64)))


def tone(hertz, seconds=1.0):
    return (0.1 * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(np.float32)


def delay(heard, said):
    """By how many samples `heard` comes later."""
    return int(correlate(heard, said, "full").argmax()) - (len(said) - 1)


@pytest.fixture(scope="module")
def speech(voice):
    return voice[SAMPLE_RATE : 4 * SAMPLE_RATE]


@pytest.mark.parametrize("gain_db", [-40, -20, 6])
def test_a_level_is_a_gain_in_decibels(speech, gain_db):
    quiet = speech / 4
    assert power(at_level(quiet, gain_db)) / power(quiet) == pytest.approx(10 ** (gain_db / 10), rel=1e-4)


def test_too_loud_a_level_clips_at_full_scale(speech):
    assert np.abs(at_level(speech, 40)).max() == 1


@pytest.mark.parametrize("snr_db", [20, 0, -5])
def test_noise_has_the_power_that_the_ratio_says(speech, snr_db):
    noise = np.random.default_rng(0).normal(0, 0.3, SAMPLE_RATE).astype(np.float32)
    added = with_noise(speech, noise, snr_db) - speech
    assert 10 * np.log10(power(speech) / power(added)) == pytest.approx(snr_db, abs=0.01)


def test_noise_that_is_one_click_is_clipped_at_full_scale(speech):
    click = np.zeros(len(speech), np.float32)
    click[1_000] = 0.5
    assert np.abs(with_noise(speech, click, 0)).max() == 1


def test_silent_noise_changes_nothing(speech):
    assert with_noise(speech, np.zeros(10, np.float32), 0) is speech


def test_a_room_keeps_time_length_and_level(speech):
    response = np.zeros(3_200, np.float32)
    response[200] = 1
    response[1_000:] = np.random.default_rng(0).normal(0, 0.02, 2_200)
    heard = in_room(speech, response)
    assert len(heard) == len(speech)
    assert heard.dtype == np.float32
    assert power(heard) == pytest.approx(power(speech), rel=1e-3)
    assert delay(heard, speech) == 0


@pytest.mark.parametrize("codec", CODECS)
def test_a_codec_keeps_length_and_time_and_most_of_the_speech(speech, codec):
    heard = coded(speech, codec)
    assert (len(heard), heard.dtype) == (len(speech), np.float32)
    assert delay(heard, speech) == 0
    assert np.corrcoef(heard, speech)[0, 1] > 0.95


def test_a_codec_does_not_clip_what_is_beyond_full_scale(speech):
    loud = speech / np.abs(speech).max() * 3
    assert np.abs(coded(loud, "opus")).max() > 2


def test_a_band_keeps_what_is_inside_and_cuts_what_is_outside():
    kept, below, above = (power(band_limited(tone(hertz), 300, 3_400)) for hertz in (1_000, 60, 7_000))
    assert kept == pytest.approx(power(tone(1_000)), rel=0.1)
    assert max(below, above) < kept / 100


def test_a_band_up_to_half_the_rate_cuts_only_low_ones():
    assert power(band_limited(tone(7_900), 300, 8_000)) == pytest.approx(power(tone(7_900)), rel=0.1)


def test_a_telephone_call_has_its_band_and_its_length(speech):
    assert len(telephone(speech)) == len(speech)
    assert power(telephone(tone(5_500))) < power(tone(5_500)) / 1_000


def test_about_a_third_of_the_noise_is_held_out_and_all_takes_of_a_source_together():
    names = [f"{fold}-{source}-{take}.ogg" for fold in "12345" for source in range(200) for take in "ABC"]
    held = [is_held_out(Recording(Path(name), "esc10", "", None, "")) for name in names]
    assert 0.28 < np.mean(held) < 0.39
    assert all(len({*held[at : at + 3]}) == 1 for at in range(0, len(held), 3))
