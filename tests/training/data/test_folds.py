from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtser_train.config import FINAL
from rtser_train.data.bags import Bag
from rtser_train.data.corpora import UNKNOWN_SPEAKER, CorpusError, Recording
from rtser_train.data.folds import Fold, inner_parts, itself, make_folds, speaker, speakers, units
from rtser_train.settings import Protocol


def bag(corpus, who, sentence, label=0, **about):
    recording = Recording(Path(f"{corpus}{who}{sentence}"), f"c{corpus}", f"s{who}", "sad", str(sentence), **about)
    return Bag(recording, label, np.ones(1, np.float32), (lambda: np.zeros((32, 64), np.float32),))


def bags(sizes):
    """For each corpus its number of speakers, two utterances each."""
    return [bag(corpus, who, i) for corpus, size in enumerate(sizes) for who in range(size) for i in range(2)]


@given(st.lists(st.integers(6, 15), min_size=1, max_size=4), st.integers(2, 4), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_no_speaker_is_in_two_parts_and_everyone_is_tested_once(sizes, count, seed):
    everyone = bags(sizes)
    folds = make_folds(everyone, Protocol(folds=count, nested=False, validation=0.4), seed)
    assert [fold.name for fold in folds] == [*map(str, range(1, count + 1)), FINAL]
    for fold in folds:
        parts = [speakers(part) for part in (fold.train, fold.validation, fold.test)]
        assert sum(map(len, parts)) == len(set.union(*parts)) == len(speakers(everyone))
        assert parts[0]
        assert parts[1]
    tested = [name for fold in folds for name in speakers(fold.test)]
    assert sorted(tested) == sorted(speakers(everyone))
    assert not folds[-1].test


def test_the_same_seed_gives_the_same_folds():
    first, again, other = (make_folds(bags([9, 12]), Protocol(folds=3), seed) for seed in (1, 1, 2))
    assert [speakers(f.test) for f in first] == [speakers(f.test) for f in again]
    assert [speakers(f.test) for f in first] != [speakers(f.test) for f in other]


@pytest.mark.parametrize("nested", [True, False])
def test_with_a_seed_of_the_protocol_all_seeds_have_the_same_folds(nested):
    everyone, protocol = bags([9, 12]), Protocol(folds=3, nested=nested, seed=1)
    first, second = (make_folds(everyone, protocol, seed) for seed in (1, 2))
    assert [fold.parts() for fold in first] == [fold.parts() for fold in second]
    assert inner_parts(first[0].train, protocol, 1) == inner_parts(second[0].train, protocol, 2)


def test_a_speaker_in_two_parts_is_an_error_that_names_them():
    some = bags([3])
    with pytest.raises(CorpusError, match="c0/s1"):
        Fold("1", train=some[:4], validation=some[4:], test=some[2:4], unit=speaker)


def test_too_few_speakers_are_an_error_that_names_the_corpus():
    with pytest.raises(CorpusError, match="corpus c1 has only 2 speakers"):
        make_folds(bags([9, 2]), Protocol(folds=3), 0)


@pytest.mark.parametrize("kind", ["speakers", "leave-one-speaker-out", "random"])
def test_unknown_speakers_are_trained_on_but_never_tested_or_validated_on(kind):
    unknown = [replace(one, recording=replace(one.recording, speaker=UNKNOWN_SPEAKER)) for one in bags([3])]
    named = [bag(0, who, 10 + i) for who in range(6) for i in range(2)]
    for fold in make_folds([*unknown, *named], Protocol(kind=kind, folds=2, nested=False, validation=0.4), 0):
        assert f"c0/{UNKNOWN_SPEAKER}" not in speakers([*fold.test, *fold.validation])
        assert units(unknown, itself) <= units(fold.train, itself)
    with pytest.raises(CorpusError, match="no recording names its speaker"):
        make_folds(unknown, Protocol(kind=kind), 0)


def test_the_description_counts_what_training_and_test_share():
    text = make_folds(bags([8]), Protocol(folds=2, nested=False, validation=0.4), 0)[0].describe()
    assert "share 0 speakers, 2 sentences" in text


def test_the_description_says_what_validates_and_counts_one_in_the_singular():
    nested = make_folds(bags([4]), Protocol(kind="leave-one-speaker-out", nested=True), 0)[0].describe()
    assert ", validation by inner folds, test " in nested
    assert "of 1 speaker;" in nested


def each_is_tested_once(folds, everyone):
    names = [one.recording.name for fold in folds for one in fold.test]
    return sorted(names) == sorted(one.recording.name for one in everyone)


@given(st.lists(st.integers(3, 8), min_size=1, max_size=3), st.integers(0, 99), st.integers(2, 5))
@settings(max_examples=40, deadline=None)
def test_the_second_cross_validation_keeps_speakers_apart_too(sizes, seed, inner):
    protocol = Protocol(kind="leave-one-speaker-out", inner_folds=inner, final=False)
    everyone = bags(sizes)
    folds = make_folds(everyone, protocol, seed)
    assert len(folds) == sum(sizes)
    assert each_is_tested_once(folds, everyone)
    for fold in folds:
        assert not fold.validation
        parts = inner_parts(fold.train, protocol, seed)
        assert len(parts) <= inner
        assert set.union(*parts) == speakers(fold.train)
        assert sum(map(len, parts)) == len(speakers(fold.train))
        assert not set.union(*parts) & speakers(fold.test)


@given(st.integers(0, 99), st.dictionaries(st.sampled_from([f"s{i}" for i in range(9)]), st.sampled_from("123")))
@settings(max_examples=60, deadline=None)
def test_a_table_of_folds_is_followed_or_refused(seed, table):
    everyone = bags([9])
    protocol = Protocol(kind="table", table=table, final=False)
    if len(table) < 9 or len(set(table.values())) < 2:
        with pytest.raises(CorpusError, match="the table of folds"):
            make_folds(everyone, protocol, seed)
        return
    folds = make_folds(everyone, protocol, seed)
    assert each_is_tested_once(folds, everyone)
    for fold in folds:
        assert not speakers(fold.train) & speakers(fold.test)
        assert len({table[one.recording.speaker] for one in fold.test}) == 1


def test_a_table_names_its_folds_and_tells_the_speakers_of_several_corpora_apart():
    table = {"c0/s0": "a", "c0/s1": "b", "c1/s0": "b", "c1/s1": "a"}
    folds = make_folds(bags([2, 2]), Protocol(kind="table", table=table, final=False), 0)
    assert {fold.name: speakers(fold.test) for fold in folds} == {"a": {"c0/s0", "c1/s1"}, "b": {"c0/s1", "c1/s0"}}


def test_a_corpus_that_deals_one_speaker_into_two_folds_is_refused():
    everyone = [bag(0, who, i, fold=str(1 + i if who == 2 else who % 2 + 1)) for who in range(4) for i in range(2)]
    with pytest.raises(CorpusError, match="c0/s2 in both 1 and 2"):
        make_folds(everyone, Protocol(kind="table"), 0)


def test_random_folds_test_every_utterance_once_and_have_their_share_of_each_emotion():
    everyone = [bag(0, who, i, label=i % 3) for who in range(4) for i in range(30)]
    folds = make_folds(everyone, Protocol(kind="random", folds=10, final=False), 1)
    assert each_is_tested_once(folds, everyone)
    for fold in folds:
        assert speakers(fold.train) == speakers(fold.test) == speakers(everyone)
        assert np.bincount([one.label for one in fold.test]).tolist() == [4, 4, 4]
        parts = inner_parts(fold.train, Protocol(kind="random", inner_folds=3), 1)
        assert not set.union(*parts) & units(fold.test, fold.unit)


def test_leaving_a_session_out_leaves_both_its_speakers_out():
    everyone = [bag(0, who, i, session=f"Ses0{1 + who // 2}") for who in range(10) for i in range(3)]
    folds = make_folds(everyone, Protocol(kind="leave-one-session-out", final=False), 1)
    assert [len(speakers(fold.test)) for fold in folds] == [2] * 5
    assert each_is_tested_once(folds, everyone)


def test_a_corpus_without_sessions_is_refused():
    with pytest.raises(CorpusError, match="corpus c0 has no sessions"):
        make_folds(bags([4]), Protocol(kind="leave-one-session-out"), 0)


def test_one_speaker_left_to_train_on_leaves_no_inner_folds():
    protocol = Protocol(kind="leave-one-speaker-out", final=False)
    with pytest.raises(CorpusError, match="only one speaker left"):
        inner_parts(make_folds(bags([2]), protocol, 0)[0].train, protocol, 0)


def test_a_speaker_of_two_sessions_is_not_trained_and_tested_on():
    everyone = [bag(0, who, i, session=f"s{i}") for who in range(4) for i in range(3)]
    with pytest.raises(CorpusError, match="c0/s0 is in two of"):
        make_folds(everyone, Protocol(kind="leave-one-session-out", final=False), 1)


def test_more_random_folds_than_recordings_of_an_emotion_are_refused():
    with pytest.raises(CorpusError, match="only 4 recordings of some emotion"):
        make_folds([bag(0, who, i, label=i) for who in range(4) for i in range(3)], Protocol(kind="random", folds=5), 1)
