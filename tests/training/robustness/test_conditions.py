"""Conditions, and what they draw."""

from __future__ import annotations

import numpy as np
import pytest
from rtser_train.robustness.conditions import CONDITIONS, GROUPS, chosen_groups, conditions_of
from rtser_train.robustness.draws import Draw, Material
from training.small_corpus import small_rooms, write

from rtser.engine.contract import SAMPLE_RATE
from rtser.errors import InputError

BY_NAME = {one.name: one for one in CONDITIONS}


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("material")
    noise = [write(folder / f"{number}.wav", np.full(8_000, (number + 1) / 100)) for number in range(3)]
    rooms = small_rooms(folder / "rooms")
    return Material(7, tuple(noise), tuple(sorted(rooms.glob("*.wav"))))


def heard(name, samples, material, recording="a.wav"):
    condition = BY_NAME[name]
    return condition.alter(samples, Draw(material, condition.group, "mine", recording))


def test_the_groups_cover_all_conditions_and_clean_speech_comes_first():
    assert CONDITIONS[0].name == "clean"
    assert {one.group for one in CONDITIONS} == set(GROUPS) - {"speech", "joined", "nonspeech"}
    assert len(BY_NAME) == len(CONDITIONS)


@pytest.mark.parametrize("name", BY_NAME)
def test_a_condition_gives_samples_in_the_same_form(voice, material, name):
    samples = voice[:SAMPLE_RATE]
    found = heard(name, samples, material)
    assert (found.dtype, found.ndim) == (np.float32, 1)
    assert np.isfinite(found).all()
    if BY_NAME[name].group not in ("speed", "lead"):
        assert len(found) == len(samples)


def test_another_speed_changes_the_length(voice, material):
    assert len(heard("speed-0.9", voice[:9_000], material)) == pytest.approx(10_000, abs=2)
    assert len(heard("speed-1.1", voice[:11_000], material)) == pytest.approx(10_000, abs=2)


def test_a_silence_comes_before_the_speech_and_leaves_it_as_it_is(voice, material):
    for name, level in (("silence-0.5", 0), ("faint-noise-0.5", 1e-3)):
        found = heard(name, voice[:9_000], material)
        assert (found[8_000:] == voice[:9_000]).all()
        assert found[:8_000].std() == pytest.approx(level, rel=0.05)


def test_an_utterance_meets_the_same_piece_at_each_level_of_noise(voice, material):
    loud, soft = (heard(name, voice[:9_000], material) - voice[:9_000] for name in ("noise-0", "noise-10"))
    np.testing.assert_allclose(loud, soft * 10**0.5, atol=1e-5)


def test_draws_follow_from_seed_and_utterance_alone(material):
    one, same = (Draw(material, "noise", "mine", "a.wav").noise(100) for _ in range(2))
    assert (one == same).all()
    levels = {float(Draw(material, "noise", "mine", f"{at}.wav").noise(9)[0]) for at in range(20)}
    assert len(levels) == 3
    seeds = [Draw(Material(seed, material.noise), "noise", "mine", "a.wav").rng.random() for seed in (7, 8)]
    assert seeds[0] != seeds[1]


def test_a_short_noise_is_repeated(material):
    assert len(Draw(material, "noise").noise(20_000)) == 20_000


def test_a_silent_piece_is_drawn_again_and_silence_alone_is_refused(tmp_path):
    half = np.concatenate([np.zeros(8_000), np.full(8_000, 0.1)])
    material = Material(0, (write(tmp_path / "half.wav", half),))
    assert all(np.abs(Draw(material, str(at)).noise(1_000)).max() > 0 for at in range(20))
    with pytest.raises(InputError, match=r"hardly any sound.*--noise"):
        Draw(Material(0, (write(tmp_path / "none.wav", np.zeros(8_000)),))).noise(1_000)


def test_groups_are_chosen_by_name_and_clean_speech_is_always_measured():
    assert chosen_groups(None) == list(GROUPS)
    assert chosen_groups("noise, level") == ["clean", "level", "noise"]
    assert [one.name for one in conditions_of(["clean", "rooms"])] == ["clean", "room"]


@pytest.mark.parametrize("names", ["loud", "noise,loud", "", ","])
def test_a_group_that_does_not_exist_is_refused(names):
    with pytest.raises(InputError, match=r"there is no group.*choose from clean, level"):
        chosen_groups(names)
