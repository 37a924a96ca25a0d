"""Changed versions of an utterance's sound."""

from __future__ import annotations

import numpy as np
import pytest
from rtser_train.data import waveform
from rtser_train.data.waveform import changed, other_voice, recipe
from rtser_train.settings import Waveform

CHANGES = ("voice", "room", "band", "clip", "codec")
NEVER = {f"{change}_probability": 0.0 for change in CHANGES}


@pytest.fixture(autouse=True)
def one_room(monkeypatch):
    """Instead of hundreds of simulated ones."""
    room = waveform._room(np.random.default_rng(0))
    monkeypatch.setattr(waveform, "rooms", lambda: [room])


def only(change):
    return Waveform.model_validate(NEVER | {f"{change}_probability": 0.999999})


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_keeps_length_and_time(voice, change):
    after = changed(voice, only(change), ["x"])
    assert after.shape == voice.shape
    assert after.dtype == np.float32
    assert not np.array_equal(after, voice)
    loud, still = (np.abs(one[: len(one) // 800 * 800]).reshape(-1, 800).max(1) for one in (voice, after))
    assert np.corrcoef(loud, still)[0, 1] > 0.7


def test_a_chance_of_nothing_changes_nothing(voice):
    assert changed(voice, Waveform.model_validate(NEVER), ["x"]) is voice


def test_a_version_follows_from_its_key(voice):
    first, again, other = (changed(voice, Waveform(), ["c", "a.wav", number]) for number in ("1", "1", "2"))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_another_voice_has_another_pitch(voice):
    from parselmouth import Sound

    def pitch_hz(samples):
        found = Sound(samples.astype(np.float64), 16_000).to_pitch().selected_array["frequency"]
        return np.median(found[found > 0])

    shifts = [12 * np.log2(pitch_hz(other_voice(voice, Waveform(), np.random.default_rng(seed))) / pitch_hz(voice))
              for seed in range(4)]  # fmt: skip
    assert np.ptp(shifts) > 1
    assert np.abs(shifts).max() < 3.5


def test_a_sound_too_short_for_praat_stays_as_it_is():
    short = np.zeros(200, np.float32)
    assert np.array_equal(other_voice(short, Waveform(), np.random.default_rng(0)), short)


def test_what_is_kept_of_a_version_is_made_anew_with_other_settings_or_libraries(monkeypatch):
    before = recipe(Waveform())
    assert recipe(Waveform(pitch_semitones=1.0)) != before
    monkeypatch.setattr("rtser_train.data.waveform.version", lambda _: "another")
    recipe.cache_clear()
    assert recipe(Waveform()) != before
    recipe.cache_clear()
