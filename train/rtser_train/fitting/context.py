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
        seed: seed of all randomness.
        device: where networks are trained, ``cpu`` or ``cuda``.
        reporter: reports the progress.
        start: a trained segment network that stage 1 begins with; None: it begins with random weights.
    """

    experiment: Experiment
    seed: int
    device: str
    reporter: ProgressReporter
    start: SegmentNetwork | None = None
