"""The recordings to adapt on."""

from __future__ import annotations

import pytest
import soundfile
from conftest import sound
from rtser_train.adapting.recordings import load_shared, shared_recordings
from rtser_train.config import Experiment
from rtser_train.progress import ProgressReporter

from rtser.errors import InputError
from rtser.settings import checked


class Told(ProgressReporter):
    """Keeps the lines."""

    def __init__(self):
        super().__init__(quiet=True)
        self.lines = []

    def line(self, text):
        self.lines.append(text)


def a_table(folder, *emotions, seconds=1.0):
    rows = ["path,emotion,speaker"]
    for number, emotion in enumerate(emotions):
        soundfile.write(folder / f"{number}.wav", sound(seconds, seed=number), 16_000)
        rows.append(f"{number}.wav,{emotion},s{number}")
    (folder / "mine.csv").write_text("\n".join(rows))
    return folder / "mine.csv"


def an_experiment(**merge):
    settings = {"name": "x", "emotions": ["angry", "happy", "sad"], "corpora": ["mine"], "merge": merge}
    return checked(Experiment, settings | {"protocol": {"nested": False}, "joint": {"auxiliary_loss": 0}}, "x")


def test_labels_that_the_model_lacks_are_left_out_and_told_in_one_line(tmp_path):
    told = Told()
    table = a_table(tmp_path, "angry", "bored", "sad", "bored", "calm")
    shared = shared_recordings(an_experiment(), table, told)
    assert [label for _, label in shared] == [0, 2]
    assert told.lines == [
        "left out, because the model has no such label: 2 of bored, 1 of calm (--merge OWN=MODEL names one)"
    ]


def test_a_merged_label_counts_as_the_models(tmp_path):
    told = Told()
    shared = shared_recordings(an_experiment(wrath="angry"), a_table(tmp_path, "wrath", "sad"), told)
    assert [label for _, label in shared] == [0, 2]
    assert not told.lines


@pytest.mark.parametrize(
    ("emotions", "problem"),
    [
        (["bored", "calm"], "mine has recordings of none of the model's emotions .*others of its own: bored, calm"),
        (["sad", "bored"], "mine has recordings of only sad of the model's emotions"),
    ],
)
def test_a_table_that_shares_fewer_than_two_labels_is_refused(emotions, problem, tmp_path):
    with pytest.raises(InputError, match=problem):
        shared_recordings(an_experiment(), a_table(tmp_path, *emotions), Told())


def test_a_folder_of_noise_without_sound_is_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    experiment = an_experiment().model_copy(update={"noise": "empty"})
    with pytest.raises(InputError, match=r"--noise .*empty: there is no audio file"):
        load_shared(experiment, a_table(tmp_path, "angry", "sad"), tmp_path / "empty", Told())


def test_recordings_shorter_than_a_segment_are_not_enough(tmp_path):
    with pytest.raises(InputError, match="mine has too few recordings"):
        load_shared(an_experiment(), a_table(tmp_path, "angry", "sad", seconds=0.2), None, Told())
