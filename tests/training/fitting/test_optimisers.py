"""How weights follow their gradients."""

from __future__ import annotations

import pytest
import torch
from rtser_train.fitting.optimisers import Muon, optimisers, orthogonal
from rtser_train.settings import Fit
from torch import nn
from torch.optim import Adam


@pytest.mark.parametrize("shape", [(12, 40), (40, 12), (20, 20)])
def test_an_orthogonal_update_keeps_the_directions_and_levels_their_sizes(shape):
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    left, _, right = torch.linalg.svd(matrix, full_matrices=False)
    found = left.T @ orthogonal(matrix) @ right.T
    sizes = found.diagonal()
    assert 0.6 < sizes.min() <= sizes.max() < 1.3
    assert (found - sizes.diag()).abs().max() < 1e-4


def a_convolution():
    weight = nn.Parameter(torch.ones(32, 16, 3, 3).to(memory_format=torch.channels_last))
    weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    return weight


def moved(weight):
    return weight.detach() - 1


def test_an_update_goes_against_the_gradient_by_a_fifth_of_the_learning_rate():
    weight = a_convolution()
    Muon([weight], lr=0.01, weight_decay=0.0).step()
    assert moved(weight).square().mean().sqrt() == pytest.approx(0.002, rel=0.2)
    assert (moved(weight) * weight.grad).sum() < 0


def test_an_update_goes_on_by_its_momentum():
    weight = a_convolution()
    optimiser = Muon([weight], lr=0.01, weight_decay=0.0)
    for _ in range(10):
        optimiser.step()
    before = moved(weight)
    weight.grad = torch.zeros_like(weight)
    optimiser.step()
    assert ((moved(weight) - before) * before).sum() > 0


def test_weights_decay_by_a_share_of_the_learning_rate():
    weight = a_convolution()
    weight.grad = torch.zeros_like(weight)
    Muon([weight], lr=0.01, weight_decay=0.5).step()
    assert torch.allclose(moved(weight), torch.tensor(-0.005))


def test_matrices_have_muon_and_the_rest_has_adam():
    network = nn.Sequential(nn.Conv2d(1, 16, 3), nn.BatchNorm2d(16), nn.Flatten(), nn.Linear(16, 6))
    muon, adam = optimisers(network, Fit(optimiser="muon"))
    assert isinstance(muon, Muon)
    assert isinstance(adam, Adam)
    assert [len(one.param_groups[0]["params"]) for one in (muon, adam)] == [1, 5]


def test_adam_alone_has_all_weights():
    (one,) = optimisers(nn.Linear(16, 12), Fit())
    assert isinstance(one, Adam)
    assert len(one.param_groups[0]["params"]) == 2
