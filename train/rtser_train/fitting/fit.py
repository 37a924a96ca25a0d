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
from rtser_train.files import replacing
from rtser_train.fitting.optimisers import optimisers
from rtser_train.fitting.saving import save
from rtser_train.progress import ProgressReporter
from rtser_train.settings import Fit

WARM_UP = 0.2
"""Share of the one-cycle schedule until the learning rate is highest."""


def fit(
    network: nn.Module,
    losses: Callable[[int], Iterator[tuple[Tensor, int]]],
    validate: Callable[[nn.Module], dict[str, float]] | None,
    settings: Fit,
    checkpoint: Path,
    reporter: ProgressReporter,
    steps: int,
) -> list[float]:
    """Fit `network` and leave it with the averaged weights of its best epoch, or of its last.

    Args:
        losses: yields the loss of each step of epoch e (from 0), and its number of segments. All its randomness
            must follow from e alone, so that a resumed run equals an unbroken one.
        validate: measures a network, the running average of the fitted one, on recordings that it was not trained on;
            ``mean`` decides which epoch is best. None trains for all epochs and takes the last.
        settings: epochs, patience, learning rate and its decay.
        checkpoint: file, written after every epoch; the fit resumes from it if it exists. The history of the fit is
            beside it with the suffix ``.csv``, and in ``tensorboard``.
        reporter: reports every epoch.
        steps: number of steps in an epoch; only the one-cycle schedule depends on it.

    Returns:
        ``mean`` after each epoch; empty without `validate`.
    """
    fitting = _Fitting(network, settings, checkpoint, steps)
    curves_folder = str(checkpoint.parent / "tensorboard" / checkpoint.stem)
    with (
        reporter.job(checkpoint.stem, settings.epochs, fitting.epoch) as job,
        SummaryWriter(curves_folder, purge_step=fitting.epoch) as curves,
    ):
        while fitting.goes_on():
            epoch, started_s = fitting.epoch, time.perf_counter()
            loss, segments = fitting.train_epoch(losses(epoch))
            seconds = time.perf_counter() - started_s
            metrics = validate(fitting.average.module.eval()) if validate else {}
            fitting.keep(loss, metrics)
            for name, value in ({"loss": loss} | metrics).items():
                curves.add_scalar(name, value, epoch)
            scores = "".join(f", UA of {name} {100 * value:.1f}" for name, value in metrics.items())
            job.step(
                f"epoch {epoch + 1}/{settings.epochs}, loss {loss:.3f}{scores}, "
                f"{seconds:.1f} s, {segments / seconds:.0f} segments/s"
            )
    network.load_state_dict(fitting.state["weights"])
    network.eval()
    return [metrics["mean"] for metrics in fitting.state["history"] if "mean" in metrics]


class _Fitting:
    """A network, its optimisers and its averaged weights; kept in the checkpoint and resumed from it.

    The checkpoint holds a dictionary: ``epoch`` (how many are done), ``best`` (metrics and number of the best epoch),
    ``weights`` (averaged, of the best epoch), ``history`` (loss and metrics of each epoch) and the states of network,
    average, optimisers and schedules.
    """

    def __init__(self, network: nn.Module, settings: Fit, checkpoint: Path, steps: int) -> None:
        self._settings, self._checkpoint = settings, checkpoint
        self._optimisers = optimisers(network, settings)
        self._schedules = [_schedule(optimiser, settings, steps) for optimiser in self._optimisers]
        self.average = AveragedModel(network, multi_avg_fn=running_average(settings.average), use_buffers=True)
        self._network = network
        self._parts: dict[str, Any] = {"network": network, "average": self.average}
        for number, (optimiser, schedule) in enumerate(zip(self._optimisers, self._schedules, strict=True)):
            self._parts[f"optimiser-{number}"] = optimiser
            self._parts[f"schedule-{number}"] = schedule
        self.state: dict[str, Any] = {"epoch": 0, "best": {"mean": -1.0, "epoch": -1}, "weights": None, "history": []}
        if checkpoint.exists():
            device = next(network.parameters()).device
            self.state = torch.load(checkpoint, weights_only=True, map_location=device)
            if not self._parts.keys() <= self.state.keys():
                raise InputError(f"{checkpoint} is of another version of rtser", "delete it: its fit begins anew")
            if any(
                schedule.state_dict().get("total_steps") != self.state[f"schedule-{number}"].get("total_steps")
                for number, schedule in enumerate(self._schedules)
            ):
                problem = f"{checkpoint} was begun with another number of epochs or draws"
                raise InputError(problem, "delete it: its fit begins anew")
            for name, part in self._parts.items():
                part.load_state_dict(self.state[name])
            self._write_history()

    @property
    def epoch(self) -> int:
        """How many epochs are done, and so the number of the next one."""
        return int(self.state["epoch"])

    def goes_on(self) -> bool:
        """Whether there is another epoch: not after the last, and not `patience` epochs after the best."""
        return (
            self.epoch < self._settings.epochs and self.epoch - self.state["best"]["epoch"] <= self._settings.patience
        )

    def train_epoch(self, losses: Iterator[tuple[Tensor, int]]) -> tuple[float, int]:
        """Take a step for each loss; return the mean loss and the number of segments."""
        self._network.train()
        steps, segments = [], 0
        for loss, size in losses:
            self._network.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            for optimiser in self._optimisers:
                optimiser.step()
            self.average.update_parameters(self._network)
            if self._settings.schedule == "one-cycle":
                self._step_schedules()
            steps.append(loss.item())
            segments += size
        if not math.isfinite(sum(steps)):
            raise InputError(f"{self._checkpoint.stem}: the loss is not a number any more", "lower the learning rate")
        if self._settings.schedule == "decay":
            self._step_schedules()
        return fmean(steps), segments

    def keep(self, loss: float, metrics: dict[str, float]) -> None:
        """Note an epoch, keep its averaged weights if it is the best (or if nothing validates), and save all."""
        state, epoch = self.state, self.epoch
        if not metrics or metrics["mean"] > state["best"]["mean"]:
            state["best"] = metrics | {"epoch": epoch}
            state["weights"] = {name: value.clone() for name, value in self.average.module.state_dict().items()}
        state["history"].append({"epoch": epoch, "loss": loss} | metrics)
        state |= {"epoch": epoch + 1} | {name: part.state_dict() for name, part in self._parts.items()}
        save(state, self._checkpoint)
        self._write_history()

    def _step_schedules(self) -> None:
        for schedule in self._schedules:
            schedule.step()

    def _write_history(self) -> None:
        history = self.state["history"]
        with replacing(self._checkpoint.with_suffix(".csv")) as part, part.open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(history[0]))
            writer.writeheader()
            writer.writerows(history)


def _schedule(optimiser: torch.optim.Optimizer, settings: Fit, steps: int) -> torch.optim.lr_scheduler.LRScheduler:
    """The learning rate: stepped once an epoch where it decays, and after each step in the one-cycle schedule."""
    if settings.schedule == "decay":
        return torch.optim.lr_scheduler.StepLR(optimiser, step_size=2, gamma=settings.decay)
    return torch.optim.lr_scheduler.OneCycleLR(
        optimiser,
        settings.learning_rate,
        total_steps=settings.epochs * steps,
        pct_start=WARM_UP,
        cycle_momentum=False,
    )


def running_average(decay: float) -> Callable[..., None]:
    """An exponential average that follows closely at first: after n steps it decays by min(decay, (1 + n) / (10 + n)).

    With a fixed decay, the first epochs' averages would still be mostly the random start. Their logits would be in the
    right order but far too small, and a temperature would have to correct that.
    """

    def update(averaged: list[Tensor], current: list[Tensor], steps: Tensor | int) -> None:
        now = min(decay, (1 + int(steps)) / (10 + int(steps)))
        get_ema_multi_avg_fn(now)(averaged, current, steps)  # type: ignore[no-untyped-call]

    return update
