"""A model file to begin with: its networks, back in torch, and its metadata."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from rtser.engine.contract import Metadata
from rtser.errors import InputError, ModelError
from rtser.models import read_model
from rtser_train.config import Experiment
from rtser_train.export.load import load_step
from rtser_train.fitting.calibration import Calibration
from rtser_train.fitting.joint import Networks
from rtser_train.networks.segment_network import SegmentNetwork
from rtser_train.settings import ENERGY_FLOOR, SIZES


@dataclass(frozen=True)
class Start:
    """A model to begin with.

    Attributes:
        metadata: the file's metadata.
        sha256: SHA-256 of the file.
        networks: on the CPU, in evaluation mode; nothing changes them.
        calibration: the model's own.
    """

    metadata: Metadata
    sha256: str
    networks: Networks
    calibration: Calibration

    @property
    def size(self) -> str:
        """The name of its segment network's size (`SIZES`)."""
        widths = tuple(self.metadata.networks["widths"])
        names: list[str] = [name for name, its in SIZES.items() if its == widths]
        return names[0]


def read_start(path: Path) -> Start:
    """The model of a file that `rtser export`, or `rtser adapt`, wrote.

    Raises:
        ModelError: the file cannot be read, is of another contract, or does not say how its networks are made.
    """
    content = read_model(path)
    try:
        step, metadata = load_step(content)
        if tuple(metadata.networks["widths"]) not in SIZES.values():
            raise ModelError(
                f"its networks match no known size ({metadata.networks['widths']} channels)",
                f"name a model of the size {', '.join(SIZES)}",
            )
    except ModelError as error:
        raise ModelError(f"{path} cannot be started from: {error.problem}", error.advice) from None
    networks = Networks(step.cnn, step.context, step.attention)
    return Start(metadata, hashlib.sha256(content).hexdigest(), networks, step.calibration)


def start_of(experiment: Experiment) -> SegmentNetwork | None:
    """The trained segment network that stage 1 begins with (`CnnSettings.start`); None if it begins anew.

    Raises:
        ModelError: see `read_start`.
        InputError: it is not the file that the run began with, it was trained on a corpus of the experiment, or its
            settings differ from the experiment's.
    """
    path = experiment.cnn.start
    if path is None:
        return None
    start = read_start(path)
    if start.sha256 != experiment.cnn.start_sha256:
        raise InputError(f"cnn.start: {path} is another file than when the run was begun", "put the first one back")
    if known := set(start.metadata.corpora) & set(experiment.corpora):
        raise InputError(
            f"cnn.start: {path} was trained on {min(known)}, whose speakers would be tested on",
            "begin with a model of other corpora",
        )
    networks, own = start.metadata.networks, experiment.cnn
    pairs = {
        "cnn.network": (networks["segment_network"], own.network),
        "cnn.size": (start.size, own.size),
        "cnn.embedding": (networks["embedding"], own.embedding),
        "cnn.level": (networks.get("level", False), own.level),
        "features.energy_floor": (networks.get("energy_floor", ENERGY_FLOOR), experiment.features.energy_floor),
    }
    for setting, (its, ours) in pairs.items():
        if its != ours:
            raise InputError(f"cnn.start: {path} has {its} where {setting} is {ours}", f"set {setting} to {its}")
    return start.networks.cnn
