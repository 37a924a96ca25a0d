"""The whole chain through its commands, on real speech or else on synthetic: train, evaluate, export, recognise."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import DATA, ROOT, rtser
from rtser_train.export.onnx_export import TOLERANCE, export, largest_difference
from rtser_train.export.package import describe, read_step
from rtser_train.results import Evaluation
from rtser_train.run import Run

import rtser as library
from rtser.audio.file import read_audio
from rtser.engine.bank import Bank
from rtser.engine.contract import segment_count
from rtser.engine.stream import Stream
from rtser.models import load_bytes
from rtser.models.raw import raw_outputs

pytestmark = pytest.mark.e2e

EMODB_LETTERS = {"W": (85, 220, 190), "A": (90, 240, 90), "F": (95, 190, 130), "N": (45, 160, 90), "T": (15, 100, 50)}
VOICES = ["en-us+m1", "en-us+m3", "en-us+m5", "en-us+m7", "en-us+f1", "en-us+f2", "en-us+f3", "en-us+f4"]
SENTENCES = {"a01": "The cloth is lying on the refrigerator.", "b02": "They just carried it upstairs and now go down."}


def synthetic_emodb(root: Path) -> Path:
    """Synthetic speech under EmoDB's file names: eight voices, five manners of speaking, two sentences."""
    if not shutil.which("espeak-ng"):
        pytest.skip("neither real speech nor the synthesiser espeak-ng is here")
    root.mkdir(parents=True)
    for speaker, voice in enumerate(VOICES, start=3):
        for letter, (pitch, speed, loudness) in EMODB_LETTERS.items():
            for sentence, text in SENTENCES.items():
                name = root / f"{speaker:02d}{sentence}{letter}a.wav"
                manner = ["-v", voice, "-p", str(pitch), "-s", str(speed), "-a", str(loudness)]
                subprocess.run(["espeak-ng", *manner, "-w", str(name), text], check=True)
    return root


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> Path:
    """A folder of speech in EmoDB's layout: real where it is at hand, else synthetic."""
    if (DATA / "emodb").is_dir():
        return DATA / "emodb"
    return synthetic_emodb(tmp_path_factory.mktemp("synthetic") / "emodb")


@pytest.fixture(scope="module")
def run(speech, tmp_path_factory) -> Path:
    """A finished debug run."""
    folder = tmp_path_factory.mktemp("run") / "debug"
    done = rtser("train", "debug", "--corpus", f"emodb={speech}", "-o", folder)
    assert done.returncode == 0, done.stderr
    assert "training and test share 0 speakers" in done.stderr
    return folder


@pytest.fixture(scope="module")
def exported(run, speech) -> Path:
    """The run's model file, with its measures."""
    evaluated = rtser("evaluate", run, "--stream", "--corpus", f"emodb={speech}")
    assert evaluated.returncode == 0, evaluated.stderr
    for system in ("Feature-Att", "CNN-AP", "CNN-AVG-RF"):
        assert f"| {system} | emodb |" in evaluated.stdout
    file = run / "fatt.onnx"
    done = rtser("export", run, "-o", file, "--corpus", f"emodb={speech}")
    assert done.returncode == 0, done.stderr
    return file


def longest(speech: Path) -> Path:
    return max(speech.rglob("*a.*"), key=lambda path: path.stat().st_size)


def test_the_run_holds_what_made_it(run):
    for name in (
        "experiment.yaml",
        "run.json",
        "environment.json",
        "seed-1/fold-1/speakers.json",
        "seed-1/fold-1/cnn.csv",
        "seed-1/fold-1/inner-2.csv",
        "seed-1/fold-2/cnn-ap-inner-1.csv",
        "seed-1/fold-2/predictions.csv",
    ):
        assert (run / name).stat().st_size > 0
    assert list((run / "seed-1" / "fold-1" / "tensorboard" / "cnn").glob("events*"))
    parts = json.loads((run / "seed-1" / "fold-1" / "speakers.json").read_text())
    assert not set(parts["train"]) & set(parts["test"])


def test_every_system_has_a_prediction_for_every_utterance_once(run):
    with_system = [
        (row["system"], row["recording"])
        for path in run.glob("seed-1/fold-*/predictions.csv")
        for row in csv.DictReader(path.read_text().splitlines())
    ]
    assert len(with_system) == len(set(with_system))
    recordings = {recording for _, recording in with_system}
    assert len(recordings) > 50
    assert len(with_system) == 3 * len(recordings)


def test_the_evaluation_writes_tables_and_figures(exported):
    run = exported.parent
    result = Evaluation.read(run / "evaluation.json").systems["feature-att"].corpora["emodb"]
    assert sum(map(sum, result.confusion)) + result.without_speech == result.utterances
    assert result.ua_interval[0] <= result.ua <= result.ua_interval[1]
    assert "| Feature-Att | emodb |" in (run / "tables.md").read_text()
    for name in ("confusion-feature-att-emodb", "streaming-feature-att", "training"):
        assert (run / "figures" / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
    with (run / "figures" / "streaming-feature-att.csv").open() as lines:
        seconds = [float(row["seconds"]) for row in csv.DictReader(lines)]
    assert seconds == pytest.approx([0.335 + 0.06 * i for i in range(len(seconds))])


def test_a_run_is_measured_with_the_model_of_each_fold_on_the_speakers_that_it_tested(run, speech, tmp_path):
    options = ("--corpus", f"emodb={speech}", "--limit", 20, "--conditions", "speech", "-o", tmp_path)
    done = rtser("robustness", "--run", run, *options)
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert [*report["models"][0]["sha256"]] == ["1", "2"]
    assert report["corpora"]["emodb"]["trained_on"] == []
    tested = {
        name.removeprefix("emodb/")
        for fold in ("1", "2")
        for name in json.loads((run / "seed-1" / f"fold-{fold}" / "speakers.json").read_text())["test"]
    }
    assert set(report["corpora"]["emodb"]["details"][0]["by_speaker"]) <= tested


@pytest.mark.usefixtures("exported")
def test_what_was_predicted_in_training_is_what_the_exported_model_says_when_streamed(run, speech):
    predicted = {
        row["recording"]: row["predicted"]
        for path in run.glob("seed-1/fold-1/predictions.csv")
        for row in csv.DictReader(path.read_text().splitlines())
        if row["system"] == "feature-att"
    }
    model = library.load(run / "seed-1" / "fold-1" / "feature-att.onnx")
    for recording, label in list(predicted.items())[:10]:
        emotions = raw_outputs(model, read_audio(speech / recording), model.metadata.window).emotions
        decided = emotions[emotions.any(1)]
        assert (model.labels[decided[-1].argmax()] if len(decided) else "") == label


def test_streaming_equals_torch_offline_on_the_whole_utterance(exported, run, speech):
    trained = Run.open(run)
    step = read_step(trained, trained.fold(1, "1"), "feature-att")
    model, samples = library.load(exported), read_audio(longest(speech))
    for window in (5, model.metadata.window):
        outputs = raw_outputs(model, samples, window)
        assert len(outputs) == segment_count(len(samples)) > 5
        assert largest_difference(outputs, step, samples, window) < TOLERANCE


def test_streaming_equals_torch_where_everything_is_taken_for_speech(run, speech):
    trained = Run.open(run)
    step = read_step(trained, trained.fold(1, "1"), "feature-att")
    with torch.no_grad():
        step.cnn.speech[2].bias += 10
    model = load_bytes(export(step, describe(trained.experiment, "feature-att", {}, step.calibration)))
    samples = read_audio(longest(speech))
    outputs = raw_outputs(model, samples, 12)
    assert outputs.emotions.any(1).sum() >= len(outputs) - 3
    assert largest_difference(outputs, step, samples, 12) < TOLERANCE


def test_a_bank_of_64_streams_equals_64_streams(exported, speech):
    model = library.load(exported)
    sounds = [read_audio(path)[: 16_000 + 700 * i] for i, path in enumerate(sorted(speech.rglob("*a.*"))[:64])]
    bank, together = Bank(model), {}
    for samples in sounds:
        number = bank.open()
        together[number] = []
        bank.push(number, samples)
    while bank.due:
        decided = bank.step()
        for row, number in enumerate(decided.streams):
            together[number].append(decided.decision(row))
    for samples, decisions in zip(sounds, together.values(), strict=True):
        alone = [one for one in Stream(model).push(samples) if isinstance(one, library.Decision)]
        assert [d.time_s for d in decisions] == [d.time_s for d in alone]
        for ours, its in zip(decisions, alone, strict=True):
            assert ours.speech == pytest.approx(its.speech, abs=1e-5)
            assert np.allclose(list((ours.emotions or {}).values()), list((its.emotions or {}).values()), atol=1e-5)


def test_the_exported_file_says_what_it_is_and_nothing_of_this_machine(exported):
    about = library.load(exported).metadata
    assert about.name == "debug"
    assert "speaker-independent" in about.measures["protocol"]
    content = exported.read_bytes()
    for trace in (str(ROOT), "site-packages", ".py"):
        assert trace.encode() not in content


def test_the_exported_model_recognises_a_file(exported, speech):
    shown = rtser("file", longest(speech), "--model", exported, "--json")
    assert shown.returncode == 0
    assert json.loads(shown.stdout.splitlines()[-1])["decisions"] > 10


def test_a_broken_off_run_goes_on_to_the_same_result(run, speech, tmp_path):
    again = tmp_path / "again"
    fold = Path("seed-1") / "fold-1"
    shutil.copytree(run / fold, again / fold)
    for name in ("experiment.yaml", "run.json"):
        shutil.copy(run / name, again)
    gone = ("step", "predictions", "cnn-ap", "feature-att", "feature-att-inner-2", "cnn", "inner-2")
    for name in gone:
        for suffix in (".pt", ".csv"):
            (again / fold / f"{name}{suffix}").unlink(missing_ok=True)
    done = rtser("train", "debug", "--corpus", f"emodb={speech}", "-o", again, "--folds", "1", "--jobs", 1)
    assert done.returncode == 0, done.stderr
    for name in ("inner-2.csv", "cnn.csv", "feature-att.csv", "predictions.csv"):
        assert (again / fold / name).read_text() == (run / fold / name).read_text()
    first, second = (torch.load(folder / fold / "step.pt") for folder in (run, again))
    assert first["calibrations"] == second["calibrations"]
    networks = [(one["cnn"], *one["heads"].values()) for one in (first, second)]
    for ours, again in zip(*networks, strict=True):
        assert all(torch.equal(ours[name], again[name]) for name in ours)


def test_a_run_does_not_go_on_with_other_recordings(run, speech, tmp_path):
    other = tmp_path / "emodb"
    other.mkdir()
    last_speaker = max(path.name[:2] for path in speech.rglob("*a.*"))
    for path in speech.rglob("*a.*"):
        renamed = path.name.replace(last_speaker, "99", 1) if path.name.startswith(last_speaker) else path.name
        (other / renamed).symlink_to(path)
    result = rtser("train", "debug", "--corpus", f"emodb={other}", "-o", run)
    assert result.returncode == 2
    assert "trained on other recordings" in result.stderr


def test_a_run_is_not_mixed_with_another_experiment(run):
    result = rtser("train", "debug", "--seed", 7, "-o", run)
    assert result.returncode == 2
    assert "other settings" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing.yaml"], "shipped ones are "),
        (["debug", "--set", "cnn.colour=red"], "cnn.colour: there is no such setting"),
        (["debug", "--set", "cnn.fit.epochs=0"], "cnn.fit.epochs: the value should be greater"),
        (["debug", "--set", "epochs"], "write key=value"),
        (["debug", "--corpus", "emodb"], "write NAME=PATH"),
        (["debug", "--data", "/nowhere"], "--corpus emodb=PATH"),
    ],
)
def test_wrong_training_settings_are_named(arguments, words, tmp_path):
    result = rtser("train", *arguments, "-o", tmp_path / "run")
    assert result.returncode == 2
    assert words in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    for command in (["evaluate", tmp_path], ["export", tmp_path, "-o", tmp_path / "x.onnx"]):
        result = rtser(*command)
        assert result.returncode == 2
        assert "is not the folder of a run" in result.stderr
