"""Initialisation and dropout from generators of one's own."""

from __future__ import annotations

import copy
import math

import pytest
import torch
from rtser_train.networks.randomness import Dropout, Dropout2d, draw_from, initialise


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def a_network():
    return torch.nn.Sequential(torch.nn.Conv2d(3, 5, (2, 3)), torch.nn.Flatten(), torch.nn.Linear(20, 4))


def masked(dropout, x, seed=0):
    draw_from(dropout, generator(seed))
    return dropout(x)


def test_the_same_generator_gives_the_same_weights():
    first, again, other = a_network(), a_network(), a_network()
    for network, seed in ((first, 1), (again, 1), (other, 2)):
        initialise(network, generator(seed))
    assert all(torch.equal(one, two) for one, two in zip(first.parameters(), again.parameters(), strict=True))
    assert not any(torch.equal(one, two) for one, two in zip(first.parameters(), other.parameters(), strict=True))


class OwnWeights(torch.nn.Module):
    """A layer with a parameter of its own."""

    def __init__(self, values):
        super().__init__()
        self.scale = torch.nn.Parameter(values)


@pytest.mark.parametrize(
    ("layer", "parameter"),
    [
        (torch.nn.Conv1d(2, 3, 2), "0.weight of Conv1d"),
        (torch.nn.GRU(2, 3), "0.weight_ih_l0 of GRU"),
        (torch.nn.Embedding(3, 2), "0.weight of Embedding"),
        (OwnWeights(torch.tensor([0.5, 0.25])), "0.scale of OwnWeights"),
    ],
)
def test_weights_that_are_not_drawn_are_refused(layer, parameter):
    name, _, kind = parameter.partition(" of ")
    with pytest.raises(TypeError, match=rf"cannot draw {name} \(of {kind}\)"):
        initialise(torch.nn.Sequential(layer, torch.nn.Linear(2, 2)), generator())


def test_constants_stay_as_they_are():
    network = torch.nn.Sequential(torch.nn.BatchNorm1d(4), torch.nn.PReLU(3), OwnWeights(torch.full((3,), 0.5)))
    before = copy.deepcopy(network.state_dict())
    initialise(network, generator())
    assert all(torch.equal(values, before[name]) for name, values in network.state_dict().items())


def test_initialisation_leaves_the_global_generator_alone():
    network = a_network()
    before = torch.get_rng_state()
    initialise(network, generator())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("layer", [torch.nn.Linear(40, 500), torch.nn.Conv2d(10, 300, (2, 2))], ids=["linear", "conv"])
def test_weights_and_biases_are_uniform_as_pytorchs_own(layer):
    initialise(layer, generator())
    bound = 1 / math.sqrt(40)
    for values in (layer.weight, layer.bias):
        assert values.abs().max() <= bound
        assert values.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.1)
        assert values.mean().item() == pytest.approx(0, abs=0.1 * bound)


def test_dropout_zeroes_a_share_and_scales_the_rest():
    kept = masked(Dropout(0.25), torch.ones(200, 100))
    assert kept.unique().tolist() == pytest.approx([0, 1 / 0.75])
    assert (kept == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)


def test_dropout_of_channels_zeroes_them_whole():
    kept = masked(Dropout2d(0.5), torch.ones(20, 30, 4, 5)).flatten(2)
    assert torch.equal(kept.amin(2), kept.amax(2))
    assert 0.4 < (kept == 0).float().mean() < 0.6


def test_the_same_generator_gives_the_same_masks():
    x = torch.ones(10, 10)
    assert torch.equal(masked(Dropout(0.5), x, 1), masked(Dropout(0.5), x, 1))
    assert not torch.equal(masked(Dropout(0.5), x, 1), masked(Dropout(0.5), x, 2))


def test_dropout_does_nothing_in_evaluation():
    x = torch.ones(3, 3)
    assert Dropout(0.5).eval()(x) is x


def test_dropout_leaves_no_trace_in_a_state_dict():
    ours, plain = (
        torch.nn.Sequential(torch.nn.Linear(2, 2), layer, torch.nn.Linear(2, 2))
        for layer in (Dropout(0.5), torch.nn.Dropout(0.5))
    )
    draw_from(ours, generator())
    assert list(ours.state_dict()) == list(plain.state_dict())


def test_a_network_with_generators_can_be_copied():
    network = torch.nn.Sequential(torch.nn.Linear(2, 2), Dropout(0.5))
    draw_from(network, generator())
    assert list(copy.deepcopy(network).state_dict()) == list(network.state_dict())
