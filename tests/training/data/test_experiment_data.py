"""Which recordings an experiment takes."""

from __future__ import annotations

import shutil

import pytest
from conftest import ROOT
from rtser_train.config import Experiment
from rtser_train.data.experiment_data import labelled_recordings

from rtser.errors import InputError
from rtser.settings import checked

DEMO = ROOT / "rtser" / "samples" / "demo.flac"


@pytest.mark.parametrize(
    ("emotion", "message"),
    [("Joy", "corpus mine has no utterance of angry, happy"), ("angry", "no corpus has an utterance of happy")],
)
def test_emotions_that_the_corpora_lack_are_named(tmp_path, emotion, message):
    shutil.copy(DEMO, tmp_path / "a.flac")
    (tmp_path / "t.csv").write_text(f"path,emotion,speaker\na.flac,{emotion},Eve\n")
    experiment = checked(Experiment, {"name": "x", "emotions": ["angry", "happy"], "corpora": ["mine"]}, "x")
    with pytest.raises(InputError, match=message):
        labelled_recordings(experiment, {"mine": tmp_path / "t.csv"})
