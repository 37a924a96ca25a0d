"""Adapting tiny networks to bags without sound."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from rtser_train.adapting import recipe
from rtser_train.adapting.adapt import adapt
from rtser_train.adapting.recipe import between, experiment_of
from rtser_train.export.load import make_step
from rtser_train.export.start import Start
from rtser_train.fitting.calibration import Calibration
from rtser_train.fitting.context import FitContext
from rtser_train.fitting.joint import Networks
from rtser_train.progress import ProgressReporter
from training.bags import a_bag
from training.tiny_networks import TINY_NETWORKS

from rtser.testing import METADATA

NETWORKS = TINY_NETWORKS | {"embedding": 16}
LOUD, QUIET = -4.0, -10.0


def a_start(context=0, labels=("angry", "sad")):
    torch.manual_seed(0)
    networks = NETWORKS | {"context": context}
    step = make_step(networks, len(labels), Calibration(1.5)).eval()
    step.cnn.mean.fill_(-7)
    step.cnn.deviation.fill_(3)
    step.cnn.speech[2].bias.data += 3
    about = METADATA.model_copy(update={"name": "first", "labels": labels, "networks": networks, "corpora": ("old",)})
    return Start(about, "0" * 64, Networks(step.cnn, step.context, step.attention), Calibration(1.5, 0.3))


def spoken(speaker, number, label, corpus="mine"):
    """Loud ones are angry, quiet ones sad; all of it is speech."""
    bag = a_bag(10 + number, label=label, level=(LOUD, QUIET)[label], corpus=corpus, speaker=speaker)
    recording = replace(bag.recording, path=Path(f"{speaker}-{number}-{label}.wav"))
    return replace(bag, recording=recording, speech=np.ones_like(bag.speech))


def adapting(start, bags, test=(), epochs=1, corpus="mine"):
    """Adapt in few small steps."""
    experiment = experiment_of(start, "new", corpus, {}, None, epochs)
    small = {"joint": experiment.joint.model_copy(update={"segments": 10})}
    experiment = experiment.model_copy(update=small)
    return adapt(start, bags, [], test, FitContext(experiment, 1, "cpu", ProgressReporter(quiet=True)))


@pytest.fixture(autouse=True, scope="module")
def few_steps():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "LEAST_STEPS", 2)
        yield


@pytest.fixture(scope="module")
def adaptation():
    """Of two speakers, in one epoch."""
    return adapting(a_start(), PEOPLE)[1]


PEOPLE = [spoken(speaker, number, label) for speaker in "ab" for number in range(3) for label in (0, 1)]


@pytest.mark.parametrize("context", [0, 6])
def test_it_learns_of_some_speakers_what_holds_for_others(context, monkeypatch):
    for name, value in {"LEARNING_RATE": 0.005, "LEAST_STEPS": 8, "SHARE": 1.0}.items():
        monkeypatch.setattr(recipe, name, value)
    start = a_start(context)
    networks, adaptation = adapting(start, PEOPLE, epochs=8)
    assert adaptation.measured.ua.before < 70
    assert adaptation.measured.ua.after > 90
    assert adaptation.measured.recordings == len(PEOPLE)
    assert 0.1 <= adaptation.calibration.temperature <= 10
    assert adaptation.calibration.slope == 0.3
    assert torch.equal(networks.cnn.mean, start.networks.cnn.mean)


def test_the_test_speakers_say_what_the_written_model_is_worth():
    _, adaptation = adapting(a_start(), PEOPLE, test=["b"])
    assert set(adaptation.measured.speakers) == {"b"}
    assert {bag.recording.speaker for bag in adaptation.protocol.final.train} == {"a"}


def test_the_same_seed_gives_the_same_model():
    (first, one), (second, other) = (adapting(a_start(6), PEOPLE) for _ in range(2))
    assert one.measured == other.measured
    for name, value in first.head.state_dict().items():
        assert torch.equal(value, second.head.state_dict()[name])


def test_weights_between_two_networks_lie_on_the_line_from_one_to_the_other():
    start, fitted = a_start().networks, a_start().networks
    for parameter in fitted.head.parameters():
        parameter.data += 1.0
    half = between(start, fitted, 0.25)
    for own, its in zip(start.head.parameters(), half.head.parameters(), strict=True):
        assert torch.allclose(its, own + 0.25)
    assert half.context is None


def test_what_the_file_says_of_itself_is_inherited_and_new(adaptation):
    about = adaptation.metadata(METADATA)
    assert about.corpora == ("old", "mine")
    assert about.measures["adapted from"] == {"name": "first", "sha256": "0" * 64}
    assert set(about.measures["UA in per cent"]["mine"]) == {"first", "adapted"}
    assert about.measures["protocol"].startswith("speaker-independent: 2 folds")
    assert about.calibration["temperature"] == adaptation.calibration.temperature
    assert about.limits.endswith("adapted to 12 recordings of 2 speakers (mine); may know other voices less than first")


def test_the_card_names_the_start_the_recordings_the_protocol_and_the_command(adaptation):
    card = adaptation.card("rtser adapt first.onnx mine.csv -o new.onnx", "new.onnx")
    for part in (
        "| adapted from | first, sha256 " + "0" * 64,
        "| licence | Apache-2.0, inherited from first",
        "| adapted on | mine: 12 recordings of 2 speakers |",
        "| of each emotion | angry 6, sad 6 |",
        "| made by | `rtser adapt first.onnx mine.csv -o new.onnx` |",
        "| UA | ",
        "| recall of sad | ",
        "Protocol: speaker-independent: 2 folds of 2 speakers",
        adaptation.verdict(),
    ):
        assert part in card


def test_with_one_speaker_table_card_and_limits_say_that_others_were_not_tested():
    _, adaptation = adapting(a_start(), PEOPLE[:6])
    assert "says nothing about other people" in adaptation.table()
    assert "not tested on other people" in adaptation.card("", "new.onnx")


def test_a_start_that_was_trained_on_these_recordings_is_told():
    bags = [replace(bag, recording=replace(bag.recording, corpus="old")) for bag in PEOPLE]
    _, adaptation = adapting(a_start(), bags, corpus="old")
    assert "may know these speakers" in adaptation.table()
