from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from train.bags import Bag
from train.config import Protocol
from train.corpora import CorpusError, Utterance
from train.folds import FINAL, Fold, make_folds, speakers


def bags(sizes):
    """For each corpus its number of speakers, two utterances each."""
    nothing = np.zeros((32, 64), np.float32), np.ones(1, np.float32)
    return [
        Bag(Utterance(Path(f"{corpus}{speaker}{i}"), f"c{corpus}", f"s{speaker}", "sad", str(i)), 0, *nothing)
        for corpus, size in enumerate(sizes)
        for speaker in range(size)
        for i in range(2)
    ]


@given(st.lists(st.integers(6, 15), min_size=1, max_size=4), st.integers(2, 4), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_no_speaker_is_in_two_parts_and_everyone_is_tested_once(sizes, count, seed):
    everyone = bags(sizes)
    folds = make_folds(everyone, Protocol(folds=count, validation=0.4), seed)
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


def test_a_speaker_in_two_parts_is_an_error_that_names_them():
    some = bags([3])
    with pytest.raises(CorpusError, match="c0/s1"):
        Fold("1", train=some[:4], validation=some[4:], test=some[2:4])


def test_too_few_speakers_are_an_error_that_names_the_corpus():
    with pytest.raises(CorpusError, match="corpus c1 has only 2 speakers"):
        make_folds(bags([9, 2]), Protocol(folds=3), 0)


def test_the_description_counts_what_training_and_test_share():
    text = make_folds(bags([8]), Protocol(folds=2, validation=0.4), 0)[0].describe()
    assert "share 0 speakers, 2 sentences" in text
