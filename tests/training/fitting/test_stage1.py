"""Stage 1: the segment network."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from rtser_train.config import Experiment
from rtser_train.fitting.context import FitContext
from rtser_train.fitting.stage1 import fit_cnn, frame_statistics
from rtser_train.fitting.threads import use_threads
from rtser_train.networks.randomness import initialise
from rtser_train.progress import ProgressReporter
from rtser_train.registry import SEGMENT_NETWORKS
from rtser_train.settings import ENERGY_FLOOR, SIZES, log_floor
from training.bags import a_bag

from rtser.settings import checked


def test_a_bin_on_the_floor_throughout_keeps_a_sane_scale():
    bag = a_bag()
    bag.frames[:, 50:] = log_floor(ENERGY_FLOOR)
    mean, deviation = frame_statistics([bag, bag], SEGMENT_NETWORKS.get("segcnn")(2, SIZES["tiny"], 8, 0.0))
    assert deviation[50:].tolist() == pytest.approx([0.1] * 14)
    assert mean[:50].numpy() == pytest.approx(bag.frames[:, :50].mean(0), abs=1e-4)
    assert deviation[:50].numpy() == pytest.approx(bag.frames[:, :50].std(0), abs=1e-3)


def weights(folder, seed):
    """Those of a tiny network after three epochs, with dropout; fitted as a worker's thread does."""
    use_threads(1)
    fit = {"epochs": 3, "batch": 4}
    content = {"name": "x", "emotions": ["angry", "sad"], "corpora": ["c"]}
    cnn = {"size": "tiny", "embedding": 8, "dropout": 0.5, "segments": 6, "draws": 2, "fit": fit}
    context = FitContext(checked(Experiment, content | {"cnn": cnn}, "x"), seed, "cpu", ProgressReporter(quiet=True))
    bags = [a_bag(8 + i, label=i % 2) for i in range(12)]
    network, _ = fit_cnn(bags, [], [], context, folder / f"{seed}.pt", epochs=3)
    return network.state_dict()


def test_a_fit_begins_with_a_trained_network_but_for_its_outputs_of_emotions(tmp_path):
    start = SEGMENT_NETWORKS.get("segcnn")(5, SIZES["tiny"], 8, 0.5)
    initialise(start, torch.Generator().manual_seed(9))
    start.mean.fill_(-3.0)
    fitting = {"epochs": 1, "batch": 4, "learning_rate": 1e-9, "average": 0.0, "weight_decay": 0.0}
    content = {"name": "x", "emotions": ["angry", "sad"], "corpora": ["c"]}
    cnn = {"size": "tiny", "embedding": 8, "dropout": 0.5, "segments": 6, "draws": 2, "fit": fitting}
    experiment = checked(Experiment, content | {"cnn": cnn}, "x")
    context = FitContext(experiment, 1, "cpu", ProgressReporter(quiet=True), start)
    bags = [a_bag(8 + i, label=i % 2) for i in range(12)]
    network, _ = fit_cnn(bags, [], [], context, tmp_path / "cnn.pt", epochs=1)
    assert network.emotion[1].weight.shape == (2, 8)
    for name in ("columns.0.0.weight", "penultimate.1.weight", "mean"):
        assert torch.allclose(network.state_dict()[name], start.state_dict()[name], atol=1e-6)


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


def test_networks_fitted_in_threads_at_the_same_time_are_those_fitted_in_turn(tmp_path):
    in_turn = [weights(tmp_path / "in-turn", seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda seed: weights(tmp_path / "together", seed), range(4)))
    assert all(same(one, other) for one, other in zip(in_turn, together, strict=True))
    assert not same(in_turn[0], in_turn[1])


def test_what_is_fitted_does_not_depend_on_the_global_generator(tmp_path):
    weights(tmp_path / "first", 0)
    torch.rand(7)
    assert same(weights(tmp_path / "second", 0), weights(tmp_path / "third", 0))
