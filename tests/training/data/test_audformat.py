from __future__ import annotations

import sys

import audformat
import pytest
import typer
from rtser_train.data.corpora import UNKNOWN_SPEAKER, CorpusError, read_corpus

from rtser.commands.process import failures, packages


def database(folder, emotions, speakers=None, schemes=("emotion", "speaker")):
    """Save a database with a table for each scheme, and an empty file for each that the first names.

    The first table is of files, or of (file, start, end); the second is of files.
    """
    db = audformat.Database("tiny")
    for scheme, labels in zip(schemes, (emotions, speakers or {}), strict=True):
        segments = [key for key in labels if isinstance(key, tuple)]
        index = audformat.segmented_index(*zip(*segments, strict=True)) if segments else None
        db.schemes[scheme] = audformat.Scheme("str")
        db[f"{scheme}s"] = audformat.Table(audformat.filewise_index(list(labels)) if index is None else index)
        db[f"{scheme}s"][scheme] = audformat.Column(scheme_id=scheme)
        db[f"{scheme}s"][scheme].set(list(labels.values()))
    for file in db.files:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).touch()
    db.save(str(folder))
    return folder


def test_whole_files_have_the_emotion_and_speaker_of_whichever_tables_say(tmp_path):
    root = database(tmp_path, {"wav/b.wav": "joy", "wav/a.wav": "anger"}, {"wav/a.wav": "Eve", "wav/b.wav": "Bob"})
    first, second = read_corpus("mine", root)
    assert (first.path, first.corpus, first.name) == (root / "wav/a.wav", "mine", "wav/a.wav")
    assert [(one.emotion, one.speaker) for one in (first, second)] == [("anger", "Eve"), ("joy", "Bob")]
    assert (first.start_s, first.end_s) == (0.0, None)


def test_the_speakers_sex_is_that_of_a_scheme_gender(tmp_path):
    database(tmp_path, {"a.wav": "joy", "b.wav": "sad"}, {"a.wav": "Eve", "b.wav": "Bob"})
    db = audformat.Database.load(str(tmp_path))
    db.schemes["gender"] = audformat.Scheme("str")
    db["speakers"]["gender"] = audformat.Column(scheme_id="gender")
    db["speakers"]["gender"].set(["female", None])
    db.save(str(tmp_path))
    assert [one.sex for one in read_corpus("mine", tmp_path)] == ["female", ""]


def test_segments_have_their_times_and_the_speaker_of_their_file(tmp_path):
    segments = {("a.wav", "0s", "1.5s"): "joy", ("b.wav", "0s", "2s"): "fear", ("a.wav", "1.5s", None): "sad"}
    found = read_corpus("mine", database(tmp_path, segments, {"a.wav": "Eve", "b.wav": "Bob"}))
    assert [(one.path.name, one.start_s, one.end_s, one.emotion, one.speaker) for one in found] == [
        ("a.wav", 0.0, 1.5, "joy", "Eve"),
        ("a.wav", 1.5, None, "sad", "Eve"),
        ("b.wav", 0.0, 2.0, "fear", "Bob"),
    ]


def test_segments_may_have_speakers_of_their_own(tmp_path):
    segments = {("a.wav", "0s", "1s"): "joy", ("a.wav", "1s", "2s"): "sad"}
    speakers = dict(zip(segments, ("Eve", "Bob"), strict=True))
    assert [one.speaker for one in read_corpus("mine", database(tmp_path, segments, speakers))] == ["Eve", "Bob"]


def test_without_an_emotion_a_file_is_left_out_and_without_a_speaker_it_is_of_one_who_is_unknown(tmp_path):
    root = database(tmp_path, {"a.wav": "joy", "b.wav": None, "c.wav": "sad"}, {"a.wav": "Eve", "b.wav": "Bob"})
    found = read_corpus("mine", root)
    assert [(one.name, one.speaker) for one in found] == [("a.wav", "Eve"), ("c.wav", UNKNOWN_SPEAKER)]


def test_a_database_without_emotions_or_speakers_is_refused_with_what_it_has(tmp_path):
    root = database(tmp_path, {"a.wav": "joy"}, {"a.wav": "Eve"}, schemes=("emotion", "who"))
    with pytest.raises(CorpusError, match=r"scheme 'speaker'; its schemes are emotion, who, .*whos \(who\)"):
        read_corpus("mine", root)
    root = database(tmp_path, {"a.wav": "joy"}, {"a.wav": "Eve"}, schemes=("mood", "speaker"))
    with pytest.raises(CorpusError, match=r"scheme 'emotion'; its schemes are mood, speaker, .*moods \(mood\)"):
        read_corpus("mine", root)


def test_a_missing_file_or_an_impossible_segment_is_refused(tmp_path):
    root = database(tmp_path, {("a.wav", "3s", "2s"): "joy"}, {"a.wav": "Eve"})
    with pytest.raises(CorpusError, match=r"a segment of a.wav ends before it starts \(3.0 s, 2.0 s\)"):
        read_corpus("mine", root)
    (root / "a.wav").unlink()
    with pytest.raises(CorpusError, match=r"names a.wav, but there is no file"):
        read_corpus("mine", root)


def test_a_database_that_contradicts_itself_or_is_damaged_is_refused(tmp_path):
    root = database(tmp_path, {"a.wav": "joy"}, {"a.wav": "Eve"})
    db = audformat.Database.load(str(root))
    db["emotions"]["second"] = audformat.Column(scheme_id="emotion")
    db["emotions"]["second"].set(["sad"])
    db.save(str(root))
    with pytest.raises(
        CorpusError, match=r"cannot be read \(ValueError: Found overlapping data.*one emotion and one speaker"
    ):
        read_corpus("mine", root)
    (root / "db.yaml").write_text("a: [")
    with pytest.raises(CorpusError, match="cannot be read"):
        read_corpus("mine", root)
    (root / "db.yaml").write_text("name: tiny")
    with pytest.raises(CorpusError, match=r"cannot be read|has labels of a scheme"):
        read_corpus("mine", root)


def test_without_the_package_a_database_is_refused_with_how_to_install_it(tmp_path, monkeypatch, capfd):
    root = database(tmp_path, {"a.wav": "joy"}, {"a.wav": "Eve"})
    monkeypatch.setitem(sys.modules, "audformat", None)
    with pytest.raises(typer.Exit), failures(), packages("train"):
        read_corpus("mine", root)
    how = "this needs the package audformat; in the checkout: pip install -c constraints.txt '.[audformat]'."
    assert how in capfd.readouterr().err
