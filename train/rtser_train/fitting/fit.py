"""Fitting one network: epochs, early stopping on validation UA, checkpoints, resume."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.tensorboard import SummaryWriter

from rtser.errors import InputError
from rtser_train.config import Fit
from rtser_train.files import replacing
from rtser_train.progress import Reporter


def fit(
    network: nn.Module,
    losses: Callable[[int], Iterator[tuple[Tensor, int]]],
    validate: Callable[[nn.Module], dict[str, float]] | None,
    settings: Fit,
    checkpoint: Path,
    reporter: Reporter,
) -> list[float]:
    """Fit `network` by Adam and leave it with the averaged weights of its best epoch, or of its last.

    Args:
        losses: yields the loss of each step of epoch e (from 0), and how many segments it is of. All its randomness
            must follow from e alone, so that a resumed run equals an unbroken one.
        validate: measures a network, the running average of the fitted one, on recordings that it was not trained on;
            ``mean`` decides which epoch is best. None trains for all epochs and takes the last.
        settings: epochs, patience, learning rate and its decay.
        checkpoint: file kept up to date after every epoch, and resumed from where it exists. Beside it lies the
            history of the fit with the suffix ``.csv``, and in ``tensorboard``.
        reporter: told of every epoch.

    Returns:
        what ``mean`` was after each epoch; empty without `validate`.
    """
    optimiser = torch.optim.Adam(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, step_size=2, gamma=settings.decay)
    average = AveragedModel(network, multi_avg_fn=running_average(settings.average), use_buffers=True)
    state: dict[str, Any] = {"epoch": 0, "best": {"mean": -1.0, "epoch": -1}, "weights": None, "history": []}
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True, map_location=next(network.parameters()).device)
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        average.load_state_dict(state["average"])
        _write_history(state, checkpoint)
    curves_folder = str(checkpoint.parent / "tensorboard" / checkpoint.stem)
    with (
        reporter.job(checkpoint.stem, settings.epochs, state["epoch"]) as job,
        SummaryWriter(curves_folder, purge_step=state["epoch"]) as curves,
    ):
        while state["epoch"] < settings.epochs and state["epoch"] - state["best"]["epoch"] <= settings.patience:
            epoch = state["epoch"]
            network.train()
            steps, segments, started_s = [], 0, time.perf_counter()
            for loss, size in losses(epoch):
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
                average.update_parameters(network)
                steps.append(loss.item())
                segments += size
            if not math.isfinite(sum(steps)):
                raise InputError(f"{checkpoint.stem}: the loss is no number any more; lower the learning rate.")
            schedule.step()
            mean_loss, seconds = fmean(steps), time.perf_counter() - started_s
            measures = validate(average.module.eval()) if validate else {}
            if not validate or measures["mean"] > state["best"]["mean"]:
                state["best"] = measures | {"epoch": epoch}
                state["weights"] = {name: value.clone() for name, value in average.module.state_dict().items()}
            state["history"].append({"epoch": epoch, "loss": mean_loss} | measures)
            state |= {
                "epoch": epoch + 1,
                "network": network.state_dict(),
                "optimiser": optimiser.state_dict(),
                "schedule": schedule.state_dict(),
                "average": average.state_dict(),
            }
            _save(state, checkpoint)
            for name, value in ({"loss": mean_loss} | measures).items():
                curves.add_scalar(name, value, epoch)
            scores = "".join(f", UA of {name} {100 * value:.1f}" for name, value in measures.items())
            job.step(
                f"epoch {epoch + 1}/{settings.epochs}, loss {mean_loss:.3f}{scores}, "
                f"{seconds:.1f} s, {segments / seconds:.0f} segments/s"
            )
    network.load_state_dict(state["weights"])
    network.eval()
    return [measures["mean"] for measures in state["history"] if "mean" in measures]


def running_average(decay: float) -> Callable[..., None]:
    """An exponential average that follows closely at first: after n steps it decays by min(decay, (1 + n) / (10 + n)).

    With a fixed decay the first epochs' averages would still be mostly the random start: right in the order of classes,
    but far too small, and a temperature would have to mend that.
    """

    def update(averaged: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
        now = min(decay, (1 + int(steps)) / (10 + int(steps)))
        get_ema_multi_avg_fn(now)(averaged, current, steps)  # type: ignore[no-untyped-call]

    return update


def _save(state: dict[str, Any], checkpoint: Path) -> None:
    """Write the checkpoint, then its history; a kill leaves the old file or the new one, of each."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    with replacing(checkpoint) as part:
        torch.save(state, part)
    _write_history(state, checkpoint)


def _write_history(state: dict[str, Any], checkpoint: Path) -> None:
    with replacing(checkpoint.with_suffix(".csv")) as part, part.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(state["history"][0]))
        writer.writeheader()
        writer.writerows(state["history"])
