from __future__ import annotations

import pytest

from rtser.commands.corpora import corpus_places
from rtser.errors import InputError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("calls.csv", "data/emodb/a.txt", "other/calls.csv"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return tmp_path


def places(folder, *given, corpora=None):
    return corpus_places(given, folder / "data", corpora)


def test_names_lie_in_the_data_folder_and_paths_where_they_are(folder):
    found = places(folder, "calls.csv", "emodb")
    assert list(found.items()) == [("calls", folder / "calls.csv"), ("emodb", folder / "data" / "emodb")]


def test_an_absolute_path_has_the_name_of_its_file(folder):
    assert places(folder, str(folder / "calls.csv")) == {"calls": folder / "calls.csv"}


def test_corpus_says_where_a_name_lies(folder):
    assert places(folder, "mine", corpora=["mine=calls.csv"]) == {"mine": folder / "calls.csv"}


def test_a_name_that_lies_nowhere_is_expected_in_the_data_folder(folder):
    assert places(folder, "ravdess") == {"ravdess": folder / "data" / "ravdess"}


@pytest.mark.parametrize(
    ("given", "corpora", "problem"),
    [
        (["gone.csv"], None, "gone.csv does not exist"),
        (["calls.csv", "other/calls.csv"], None, "are both called calls"),
        (["calls", "other/calls.csv"], None, "calls and .*calls.csv are both called calls"),
        (["other/calls.csv", "calls"], None, "calls.csv and calls are both called calls"),
        (["emodb"], ["mine=calls.csv"], "--corpus mine=calls.csv: this does not name a corpus that is used"),
    ],
)
def test_wrong_places_are_refused(folder, given, corpora, problem):
    with pytest.raises(InputError, match=problem):
        places(folder, *given, corpora=corpora)
