from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest

from train.corpora import CorpusError, noise_recordings, read_corpus

LAYOUTS = {
    "emodb": ("wav/03a01Fa.wav", "03", "happy", "a01"),
    "ravdess": ("Actor_12/03-01-06-01-02-01-12.wav", "Actor_12", "fear", "02"),
    "casia": ("liuchanhg/surprise/382.wav", "liuchanhg", "surprise", "382"),
    "nemo": ("samples/SM0_anger_77.wav", "SM0", "angry", "77"),
}
COUNTS = {"emodb": (498, 10), "ravdess": (1440, 24), "casia": (1200, 4), "nemo": (4481, 9)}
EMOTIONS = {
    "anger": "angry",
    "fearful": "fear",
    "happiness": "happy",
    "sadness": "sad",
    "surprised": "surprise",
}


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    return path


@pytest.mark.parametrize("corpus", LAYOUTS)
def test_native_names_tell_speaker_emotion_and_sentence(tmp_path, corpus):
    name, speaker, emotion, sentence = LAYOUTS[corpus]
    path = touch(tmp_path / name)
    touch(tmp_path / "notes.wav")
    touch(tmp_path / ".hidden" / name)
    (one,) = read_corpus(corpus, tmp_path)
    assert (one.path, one.speaker, one.emotion, one.sentence) == (path, speaker, emotion, sentence)
    assert one.group == f"{corpus}/{speaker}"


def test_ravdess_songs_are_left_out(tmp_path):
    touch(tmp_path / "Actor_01/03-01-03-01-01-01-01.wav")
    touch(tmp_path / "Actor_01/03-02-03-01-01-01-01.wav")
    assert len(read_corpus("ravdess", tmp_path)) == 1


@pytest.mark.parametrize("corpus", COUNTS)
def test_the_real_corpora_are_read_as_their_manifests_say(data, corpus):
    found = read_corpus(corpus, data / corpus)
    with (data / corpus / "manifest.csv").open() as lines:
        rows = {row["path"]: row for row in csv.DictReader(lines)}
    assert (len(found), len({one.speaker for one in found})) == COUNTS[corpus]
    for one in found:
        row = rows[str(one.path.relative_to(data / corpus))]
        assert one.speaker == row["speaker"]
        assert one.emotion == EMOTIONS.get(row["emotion"], row["emotion"])
    assert max(Counter(one.path for one in found).values()) == 1


def test_a_missing_corpus_is_named_with_the_option_that_points_to_it(tmp_path):
    with pytest.raises(CorpusError, match=r"corpus emodb.*--corpus emodb=PATH"):
        read_corpus("emodb", tmp_path / "none")
    with pytest.raises(CorpusError, match=r"no utterance.*--corpus emodb=PATH"):
        read_corpus("emodb", tmp_path)
    with pytest.raises(CorpusError, match=r"noise esc10.*--corpus esc10=PATH"):
        noise_recordings("esc10", tmp_path / "none")


def table(folder, text):
    touch(folder / "a.wav")
    path = folder / "table.csv"
    path.write_text(text)
    return path


def test_a_table_of_ones_own(tmp_path):
    (one,) = read_corpus("mine", table(tmp_path, "path,emotion,speaker\na.wav,bored,Eve\n"))
    assert (one.corpus, one.speaker, one.emotion, one.sentence) == ("mine", "Eve", "bored", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,emotion\na.wav,sad\n", "column 'speaker' is missing"),
        ("path,emotion,speaker\na.wav,,Eve\n", "line 2: the column 'emotion' is empty"),
        ("path,emotion,speaker\na.wav,sad,Eve\nb.wav,sad,Eve\n", "line 3: there is no file"),
        ("path,emotion,speaker\na.wav,sad,Eve\na.wav,sad,eve\n", "stands there 2 times"),
        ("path,emotion,speaker\n", "no utterance"),
    ],
)
def test_a_broken_table_is_refused(tmp_path, text, message):
    with pytest.raises(CorpusError, match=message):
        read_corpus("mine", table(tmp_path, text))
