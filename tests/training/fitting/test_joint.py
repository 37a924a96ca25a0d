"""Both stages at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from rtser_train.config import Experiment
from rtser_train.data.batches import Cropping, stack
from rtser_train.fitting.context import FitContext
from rtser_train.fitting.joint import JointNetwork, Targets, fit_jointly, joint_loss
from rtser_train.networks.randomness import initialise
from rtser_train.progress import ProgressReporter
from training.bags import a_bag

from rtser.settings import checked

FIT = {"epochs": 2, "batch": 4, "schedule": "one-cycle", "learning_rate": 0.01}
BASE = {
    "name": "x",
    "emotions": ["angry", "sad"],
    "corpora": ["c", "d"],
    "protocol": {"nested": False},
    "cnn": {"size": "tiny", "embedding": 8},
    "attention": {"features": 8, "window": 10},
    "joint": {"context": 6, "segments": 8, "draws": 16, "fit": FIT},
}


def an_experiment(**joint):
    return checked(Experiment, BASE | {"joint": BASE["joint"] | joint}, "x")


def some_bags(count=12):
    """Loud ones are of class 0; corpus d has this class alone."""
    bags = [a_bag(8 + i, label=i % 2, level=-4.0 - 6 * (i % 2), speaker=f"s{i}") for i in range(count)]
    return [*bags, *[a_bag(9, label=0, level=-4.0, corpus="d", speaker=f"s{i}") for i in range(3)]]


def loss_of(experiment, bags, change=None, seed=0):
    targets = Targets(bags, experiment, "cpu")
    network = JointNetwork(experiment, targets).eval()
    initialise(network, torch.Generator().manual_seed(0))
    if change:
        change(network)
    batch = stack(bags, Cropping(8, experiment.features.log_floor))
    return network, joint_loss(network, batch, targets, experiment, torch.Generator().manual_seed(seed))


def test_it_learns_what_is_loud(tmp_path):
    experiment = an_experiment(draws=160, fit=FIT | {"epochs": 6})
    bags = [replace(bag, speech=np.ones_like(bag.speech)) for bag in some_bags()]
    fit_jointly(bags, bags, [], FitContext(experiment, 1, "cpu", ProgressReporter(quiet=True)), tmp_path / "joint.pt")
    lines = (tmp_path / "joint.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,c,d,mean"
    assert max(float(line.split(",")[2]) for line in lines[1:]) > 0.9


def test_an_emotion_that_the_corpus_lacks_weighs_what_is_set():
    bags = [bag for bag in some_bags() if bag.recording.corpus == "d"]
    lacks = Targets([*some_bags(), *bags], an_experiment(absent=0.25), "cpu").absent
    assert lacks[-1].tolist() == pytest.approx([0.0, torch.tensor(0.25).log().item()])
    assert lacks[0].tolist() == [0, 0]


def test_an_utterance_of_no_class_trains_the_auxiliary_outputs_alone():
    bags = [replace(bag, label=-1) for bag in some_bags(4)]
    bags[0] = replace(bags[0], recording=replace(bags[0].recording, emotion="bored"))
    network, loss = loss_of(an_experiment(), bags)
    loss.backward()
    assert network.own.weight.grad.abs().sum() > 0
    assert network.head.classifier[-1].weight.grad.abs().sum() == 0


def test_a_corpus_that_says_nothing_of_speech_does_not_train_the_speech_head():
    network, loss = loss_of(an_experiment(not_speech=["c", "d"]), some_bags(4))
    loss.backward()
    assert all(not parameter.grad.any() for parameter in network.cnn.speech.parameters())


def test_the_bias_of_a_speaker_is_learnt_beside_and_does_not_ship():
    experiment = an_experiment(offsets="speaker")

    def biased(network):
        network.biases.data[:] = torch.tensor([5.0, -5.0])

    _, plain = loss_of(experiment, some_bags(4))
    network, shifted = loss_of(experiment, some_bags(4), biased)
    assert shifted > plain + 1
    assert len(network.biases) == 7
    assert not any("bias" in name and value is network.biases for part in network.networks if part is not None
                   for name, value in part.named_parameters())  # fmt: skip


def fitted(experiment, bags, folder, start=None):
    context = FitContext(experiment, 1, "cpu", ProgressReporter(quiet=True))
    return fit_jointly(bags, [], [], context, folder / "joint.pt", start)


def states(networks):
    return {
        f"{part}.{name}": value.clone()
        for part, network in networks._asdict().items()
        if network is not None
        for name, value in network.state_dict().items()
        if "num_batches" not in name
    }


@pytest.mark.parametrize("context", [0, 6])
def test_with_a_start_the_decision_is_fitted_on_and_all_that_finds_speech_stays(context, tmp_path):
    experiment = an_experiment(context=context)
    start = fitted(experiment, some_bags(), tmp_path / "first")
    before = states(start)
    after = states(fitted(experiment, some_bags(6), tmp_path / "second", start))
    assert states(start).keys() == after.keys()
    for name, value in before.items():
        assert torch.equal(value, states(start)[name]), "the start is not changed"
        statistic = name.endswith(("running_mean", "running_var", "cnn.mean", "cnn.deviation"))
        kept = statistic or name.startswith(("cnn.columns", "cnn.speech"))
        assert torch.equal(value, after[name]) == kept, name


def test_without_validation_all_epochs_are_trained_and_the_last_counts(tmp_path):
    fitted(an_experiment(), some_bags(4), tmp_path)
    lines = (tmp_path / "joint.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss"
    assert len(lines) == 1 + FIT["epochs"]
