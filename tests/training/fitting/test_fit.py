"""Fitting one network: epochs, checkpoints, resume."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest
import torch
from rtser_train.fitting.fit import fit, running_average
from rtser_train.fitting.saving import save
from rtser_train.networks.randomness import Dropout, draw_from, initialise
from rtser_train.progress import ProgressReporter
from rtser_train.settings import Fit

from rtser.errors import InputError, OutputError


class KilledError(Exception):
    """A kill in the middle of an epoch."""


def fitted(checkpoint, break_in_epoch=None, schedule="decay", optimiser="adam", epochs=6):
    """A small regression, fitted for six epochs with dropout; broken off in the middle of one."""
    network = torch.nn.Sequential(
        torch.nn.Linear(10, 12), torch.nn.BatchNorm1d(12), Dropout(0.5), torch.nn.Linear(12, 1)
    )
    initialise(network, torch.Generator().manual_seed(0))

    def losses(epoch):
        inputs, masks = (torch.Generator().manual_seed(10 * epoch + i) for i in range(2))
        draw_from(network, masks)
        for step in range(5):
            if epoch == break_in_epoch and step == 2:
                raise KilledError
            yield (network(torch.randn(16, 10, generator=inputs)) - 1).square().mean(), 16

    def validate(averaged):
        return {"mean": 1 / (1 + (averaged(torch.ones(2, 10)) - 1).square().mean().item())}

    fit(
        network,
        losses,
        validate,
        Fit(epochs=epochs, schedule=schedule, optimiser=optimiser),
        checkpoint,
        ProgressReporter(),
        steps=5,
    )
    return network.state_dict()


@pytest.mark.parametrize("how", [("decay", "adam"), ("one-cycle", "adam"), ("one-cycle", "muon")])
def test_a_fit_that_was_killed_goes_on_to_the_same_weights_bit_for_bit(tmp_path, how):
    unbroken = fitted(tmp_path / "a.pt", None, *how)
    with pytest.raises(KilledError):
        fitted(tmp_path / "b.pt", 4, *how)
    resumed = fitted(tmp_path / "b.pt", None, *how)
    assert all(torch.equal(unbroken[name], resumed[name]) for name in unbroken)
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()


def test_a_fit_does_not_go_on_with_the_learning_rates_of_another_number_of_epochs(tmp_path):
    with pytest.raises(KilledError):
        fitted(tmp_path / "a.pt", 4, "one-cycle")
    with pytest.raises(InputError, match="another number of epochs"):
        fitted(tmp_path / "a.pt", None, "one-cycle", epochs=9)


def test_a_checkpoint_that_does_not_fit_on_the_disk_is_named(tmp_path, monkeypatch):
    def write(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", write)
    with pytest.raises(OutputError, match=r"a\.pt cannot be written \(No space left on device\)"):
        fitted(tmp_path / "a.pt")


def test_a_state_is_saved_as_it_is(tmp_path):
    save({"a": torch.ones(3), "b": 2.5}, tmp_path / "a.pt")
    found = torch.load(tmp_path / "a.pt", weights_only=True)
    assert found["a"].tolist() == [1, 1, 1]
    assert found["b"] == 2.5


def test_without_validation_a_fit_takes_its_last_epoch(tmp_path):
    network = torch.nn.Linear(1, 1)
    losses = lambda _: iter([(network(torch.ones(1, 1)).square().sum(), 1)])  # noqa: E731
    assert (
        fit(network, losses, None, Fit(epochs=5, patience=1), tmp_path / "a.pt", ProgressReporter(quiet=True), 1) == []
    )
    state = torch.load(tmp_path / "a.pt")
    assert all(torch.equal(value, state["weights"][name]) for name, value in network.state_dict().items())
    assert len(state["history"]) == 5


def test_a_loss_that_is_no_number_ends_the_fit(tmp_path):
    network = torch.nn.Linear(1, 1)
    with pytest.raises(InputError, match="lower the learning rate"):
        fit(
            network,
            lambda _: iter([(network(torch.full((1, 1), torch.nan)).sum(), 1)]),
            lambda _: {"mean": 0.0},
            Fit(),
            tmp_path / "a.pt",
            ProgressReporter(),
            1,
        )


def test_the_running_average_forgets_the_start_within_an_epoch():
    averaged, update = [torch.zeros(3)], running_average(0.99)
    for step in range(60):
        update(averaged, [torch.ones(3)], torch.tensor(step))
    assert averaged[0].min() > 0.99
    for step in range(60, 2000):
        update(averaged, [torch.full((3,), float(step % 2))], torch.tensor(step))
    assert averaged[0].tolist() == pytest.approx([0.5] * 3, abs=0.01)
