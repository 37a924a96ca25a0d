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


def test_an_update_of_a_convolution_is_as_large_as_one_of_adam():
    weight = nn.Parameter(torch.zeros(32, 16, 3, 3).to(memory_format=torch.channels_last))
    weight.grad = torch.randn(weight.shape, generator=torch.Generator().manual_seed(0))
    Muon([weight], lr=0.01, weight_decay=0.0).step()
    assert weight.detach().square().mean().sqrt() == pytest.approx(0.002, rel=0.2)
    assert (weight * weight.grad).sum() < 0


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
