"""Which utterances are measured on."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from rtser_train.data.corpora import UNKNOWN_SPEAKER
from rtser_train.robustness.selection import MERGED, Spoken, balanced, merges, select
from training.small_corpus import small_corpus, spoken

from rtser.errors import InputError

LABELS = ("angry", "happy", "neutral", "sad")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return small_corpus(tmp_path_factory.mktemp("corpus"))


def everyone(_):
    return True


def test_the_shared_emotions_are_measured_on_and_the_others_counted(table):
    found = select("mine", table, LABELS, {}, everyone)
    assert found.emotions == ("angry", "sad")
    assert found.left_out == {"calm": 6}
    assert (len(found.spoken), found.available, found.speakers) == (12, 12, ["ann", "bob", "cem"])


def test_an_emotion_may_count_as_another(table):
    found = select("mine", table, LABELS, {"calm": "neutral"}, everyone)
    assert found.emotions == ("angry", "neutral", "sad")
    assert found.merge == {"calm": "neutral"}
    assert Counter(found.truth.tolist())["neutral"] == 6


def test_calm_counts_as_neutral_unless_the_model_knows_it_or_the_option_says_otherwise():
    assert merges(None, LABELS, MERGED) == {"calm": "neutral"}
    assert merges(None, (*LABELS, "calm"), MERGED) == {}
    assert merges(None, ("angry", "sad"), MERGED) == {}
    assert merges(["joy=happy"], LABELS, MERGED) == {"joy": "happy"}
    assert merges([""], LABELS, MERGED) == {}


@pytest.mark.parametrize("given", ["calm", "calm=bored", "=", "calm="])
def test_a_merge_that_names_no_label_is_refused(given):
    with pytest.raises(InputError, match=r"FROM=TO.*its labels are angry"):
        merges([given], LABELS, MERGED)


def test_a_corpus_that_shares_less_than_two_emotions_is_refused(table):
    with pytest.raises(InputError, match=r"shares angry.*its emotions are angry, calm, sad; --merge|--merge FROM=TO"):
        select("mine", table, ("angry", "happy"), {}, everyone)


def test_a_corpus_of_which_nobody_is_measured_on_is_refused(table):
    with pytest.raises(InputError, match="no utterance of those who are to be measured on"):
        select("mine", table, LABELS, {}, lambda recording: recording.speaker == "zoe")


def test_a_limit_is_balanced_over_emotions_and_speakers(table):
    found = select("mine", table, LABELS, {}, everyone, limit=6)
    assert Counter(one.emotion for one in found.spoken) == {"angry": 3, "sad": 3}
    assert Counter(one.recording.speaker for one in found.spoken) == {"ann": 2, "bob": 2, "cem": 2}
    assert found.available == 12
    assert found == select("mine", table, LABELS, {}, everyone, limit=6)
    assert found != select("mine", table, LABELS, {}, everyone, limit=6, seed=1)


def test_a_limit_of_few_takes_different_speakers_for_different_emotions():
    names = [(emotion, speaker) for emotion in ("angry", "sad") for speaker in "abcdef"]
    everything = [Spoken(spoken(f"{emotion}-{one}.wav", emotion, one), emotion) for emotion, one in names]
    for seed in range(5):
        taken = balanced(everything, 4, np.random.default_rng(seed))
        assert len({one.recording.speaker for one in taken}) == 4


def test_an_utterance_of_an_unknown_speaker_stands_alone():
    units = {Spoken(spoken(name, speaker=UNKNOWN_SPEAKER), "angry").unit for name in ("a.wav", "b.wav")}
    assert len(units) == 2
