"""What the fitting of any network of a fold needs beside its data."""

from __future__ import annotations

from dataclasses import dataclass

from rtser_train.config import Experiment
from rtser_train.networks.segment_network import SegmentNetwork
from rtser_train.progress import ProgressReporter


@dataclass(frozen=True)
class FitContext:
    """Settings of a fold's fitting.

    Attributes:
        experiment: all settings.
        seed: of everything random in it.
        device: where networks are trained, ``cpu`` or ``cuda``.
        reporter: told of the progress.
        start: a trained segment network that stage 1 begins with; None: weights are drawn.
    """

    experiment: Experiment
    seed: int
    device: str
    reporter: ProgressReporter
    start: SegmentNetwork | None = None
