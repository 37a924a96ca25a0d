"""Who is adapted on and who is tested on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from rtser_train.adapting.protocol import make_protocol
from training.bags import a_bag

from rtser.errors import InputError

EMOTIONS = ("angry", "sad")


def bags_of(*speakers, each=4):
    """Recordings of two emotions by turns."""
    made = []
    for speaker in speakers:
        for number in range(each):
            bag = a_bag(20, label=number % 2, speaker=speaker)
            recording = replace(bag.recording, path=Path(f"{speaker}-{number}.wav"), emotion=EMOTIONS[number % 2])
            made.append(replace(bag, recording=recording))
    return made


def speakers(bags):
    return {bag.recording.speaker for bag in bags}


@pytest.mark.parametrize(("people", "folds"), [("ab", 2), ("abcd", 4), ("abcdefgh", 5)])
def test_everybody_is_tested_once_by_a_model_adapted_on_the_others(people, folds):
    protocol = make_protocol(bags_of(*people), [], 1)
    assert protocol.apart
    assert len(protocol.folds) == folds
    for fold in protocol.folds:
        assert speakers(fold.train) | speakers(fold.test) == set(people)
        assert not speakers(fold.train) & speakers(fold.test)
    assert len(protocol.tested) == len({bag.recording.key for bag in protocol.tested}) == 4 * len(people)
    assert speakers(protocol.final.train) == set(people)
    assert protocol.words().startswith(f"speaker-independent: {folds} folds")


def test_recordings_of_unknown_speakers_are_adapted_on_and_not_tested_on():
    protocol = make_protocol(bags_of("a", "b", "unknown"), [], 1)
    assert all("unknown" in speakers(fold.train) for fold in protocol.folds)
    assert speakers(protocol.tested) == {"a", "b"}


@pytest.mark.parametrize("people", [["a"], ["unknown"], ["a", "unknown"]])
def test_with_one_speaker_recordings_are_dealt_and_that_is_said(people):
    protocol = make_protocol(bags_of(*people), [], 1)
    assert not protocol.apart
    assert {bag.recording.key for bag in protocol.tested} == {bag.recording.key for bag in bags_of(*people)}
    assert all({bag.label for bag in fold.train} == {0, 1} for fold in protocol.folds)
    assert "says nothing about other people" in protocol.words()


def test_test_speakers_are_in_no_other_part():
    protocol = make_protocol(bags_of("a", "b", "c", "d"), ["c", "d"], 1)
    assert speakers(protocol.tested) == speakers(protocol.final.test) == {"c", "d"}
    assert speakers(protocol.final.train) == {"a", "b"}
    assert all(speakers([*fold.train, *fold.test]) == {"a", "b"} for fold in protocol.folds)
    assert "adapted on 2 speakers (a, b), tested on 2 speakers (c, d)" in protocol.words()


def test_beside_test_speakers_one_speaker_is_enough():
    protocol = make_protocol(bags_of("a", "b"), ["b"], 1)
    assert protocol.apart
    assert speakers(protocol.final.train) == {"a"}


def test_a_test_speaker_who_is_not_there_is_named():
    with pytest.raises(InputError, match="there is no speaker z to test on; there are a, b"):
        make_protocol(bags_of("a", "b"), ["a", "z"], 1)


def test_somebody_must_be_left_to_adapt_on():
    with pytest.raises(InputError, match="without a, b fewer than two emotions are left"):
        make_protocol(bags_of("a", "b"), ["a", "b"], 1)


def test_an_emotion_with_one_recording_cannot_be_tested_where_recordings_are_dealt():
    with pytest.raises(InputError, match="sad has one recording only"):
        make_protocol(bags_of("a", each=3), [], 1)
