"""A run's folder, with all its inputs and all its results.

RUN/experiment.yaml                  the configuration
RUN/run.json                         layout of the folder, its seeds and the names of their folds
RUN/environment.json                 versions and machine
RUN/seed-1/fold-2/speakers.json      the speakers of training, validation and test
RUN/seed-1/fold-2/*.pt, *.csv        checkpoint and history of each network
RUN/seed-1/fold-2/tensorboard/       the same histories for TensorBoard
RUN/seed-1/fold-2/step.pt            weights and calibrations for an export
RUN/seed-1/fold-2/predictions.csv    each system's prediction for each test utterance
RUN/seed-1/fold-2/HEAD.onnx          the fold's model, if a streaming evaluation has exported it
RUN/evaluation.json, tables.md       the metrics, for programs and for people
RUN/figures/                         confusion matrices, training curves, streaming curves
"""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from rtser.cores import cores
from rtser.errors import InputError
from rtser.settings import checked, read_settings
from rtser.versions import installed_version
from rtser_train.config import FINAL, Experiment
from rtser_train.files import replacing

LAYOUT = 3
"""Version of this layout of the folder; it increases when older folders can no longer be read."""
ANOTHER = "name another folder with --output"
PACKAGES = (
    *("rtser", "torch", "numpy", "scipy", "scikit-learn", "onnx"),
    *("onnxruntime", "onnxruntime-gpu", "silero-vad", "soundfile", "soxr", "opensmile"),
)


class _Notes(BaseModel):
    """The content of run.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    layout: int
    folds: dict[int, list[str]]


class Parts(BaseModel):
    """The speakers in each part of a fold, in speakers.json.

    Attributes:
        train: number of training recordings of each speaker (``corpus/speaker``).
        validation: the same for the recordings that choose the epoch.
        test: the same for the test recordings.
        recordings: SHA-256 of the list of all recordings with their parts and classes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    train: dict[str, int]
    validation: dict[str, int]
    test: dict[str, int]
    recordings: str


@dataclass(frozen=True)
class FoldFolder:
    """The files of one fold of one seed.

    Attributes:
        path: the folder.
        seed: of the fold's training.
        fold: the fold's name.
    """

    path: Path
    seed: int
    fold: str

    @property
    def step(self) -> Path:
        """Weights and calibrations; written last."""
        return self.path / "step.pt"

    @property
    def finished(self) -> bool:
        """Whether the fold's training is finished."""
        return self.step.is_file()

    @property
    def predictions(self) -> Path:
        """The predictions of each system for each test utterance."""
        return self.path / "predictions.csv"

    def checkpoint(self, network: str) -> Path:
        """The state of a network's fitting; its history is beside it with the suffix ``.csv``."""
        return self.path / f"{network}.pt"

    def histories(self, network: str) -> list[Path]:
        """The existing histories of a network and of its inner folds."""
        inner = "inner-*" if network == "cnn" else f"{network}-inner-*"
        return sorted(path for pattern in (network, inner) for path in self.path.glob(f"{pattern}.csv"))

    def model(self, head: str) -> Path:
        """The fold's exported model with one of its heads."""
        return self.path / f"{head}.onnx"

    def note_parts(self, parts: Parts) -> None:
        """Note the speakers in each part of the fold, or check that an earlier call noted the same.

        Raises:
            InputError: the corpora have changed since, so a checkpoint may know speakers of the present test part.
        """
        noted = self.path / "speakers.json"
        if not noted.exists():
            with replacing(noted) as part:
                part.write_text(parts.model_dump_json(indent=1), encoding="utf-8")
        elif self.parts() != parts:
            raise InputError(f"{self.path} was trained on other recordings", ANOTHER)

    def parts(self) -> Parts:
        """The speakers in each part of the fold; raises InputError if the file cannot be read."""
        noted = self.path / "speakers.json"
        try:
            return Parts.model_validate_json(noted.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError):
            raise InputError(f"{noted} cannot be read", "train again into another folder") from None


@dataclass(frozen=True)
class Run:
    """One experiment's folder.

    Attributes:
        folder: path of the folder.
        experiment: the configuration.
        folds: names of the folds of each seed, in order.
    """

    folder: Path
    experiment: Experiment
    folds: Mapping[int, Sequence[str]]

    @classmethod
    def open(cls, folder: Path) -> Run:
        """The run in a folder.

        Raises:
            InputError: the folder holds no run, or one of another layout.
        """
        settings = folder / "experiment.yaml"
        if not settings.is_file():
            raise InputError(
                f"{folder} is not the folder of a run (it has no experiment.yaml)", "rtser train makes such a folder"
            )
        try:
            notes = _Notes.model_validate_json((folder / "run.json").read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError):
            notes = None
        if notes is None or notes.layout != LAYOUT:
            raise InputError(f"{folder} is a run of another version of rtser", "train again into another folder")
        return cls(folder, checked(Experiment, read_settings(settings, []), str(settings)), notes.folds)

    @classmethod
    def create(cls, experiment: Experiment, folder: Path, folds: Mapping[int, Sequence[str]]) -> Run:
        """Make a run's folder, or open the existing one.

        Raises:
            InputError: the folder holds another experiment, or one of other folds.
            OutputError: the folder cannot be written.
        """
        noted = {seed: list(names) for seed, names in folds.items()}
        run = cls.check(experiment, folder)
        if run is not None:
            if dict(run.folds) != noted:
                raise InputError(f"{folder} was trained on other recordings", ANOTHER)
            return run
        contents = {  # the configuration comes last, because it marks the folder as a run
            "environment.json": json.dumps(_environment(), indent=2),
            "run.json": _Notes(layout=LAYOUT, folds=noted).model_dump_json(indent=2),
            "experiment.yaml": yaml.safe_dump(experiment.model_dump(mode="json"), sort_keys=False),
        }
        for name, content in contents.items():
            with replacing(folder / name, ANOTHER) as part:
                part.write_text(content, encoding="utf-8")
        return cls(folder, experiment, noted)

    @classmethod
    def check(cls, experiment: Experiment, folder: Path) -> Run | None:
        """The run in a folder, or None; InputError if the folder holds another experiment."""
        if not (folder / "experiment.yaml").exists():
            return None
        run = cls.open(folder)
        if run.experiment != experiment:
            raise InputError(f"{folder} holds a run with other settings", ANOTHER)
        return run

    def fold(self, seed: int, name: str) -> FoldFolder:
        """One fold's files; InputError if the run has no such fold."""
        names = self.folds.get(seed, ())
        if name not in names:
            raise InputError(f"there is no fold {name} of seed {seed}", f"there are {', '.join(names)}")
        return FoldFolder(self.folder / f"seed-{seed}" / f"fold-{name}", seed, name)

    def all_folds(self) -> Iterator[FoldFolder]:
        """All folds of all seeds, in order."""
        return (self.fold(seed, name) for seed, names in self.folds.items() for name in names)

    def finished(self, seed: int) -> list[FoldFolder]:
        """The finished folds of a seed, in order."""
        return [fold for fold in self.all_folds() if fold.seed == seed and fold.finished]

    def finished_tests(self, seed: int) -> list[FoldFolder]:
        """The finished folds with test utterances."""
        return [fold for fold in self.finished(seed) if fold.fold != FINAL]

    @property
    def evaluation(self) -> Path:
        """The metrics as JSON."""
        return self.folder / "evaluation.json"

    @property
    def tables(self) -> Path:
        """The metrics as Markdown."""
        return self.folder / "tables.md"

    def figure(self, name: str) -> Path:
        """A picture in the run's folder of figures."""
        return self.folder / "figures" / f"{name}.png"


def _environment() -> dict[str, str]:
    machine = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    machine["cores"] = str(cores())
    versions = {name: installed_version(name) for name in PACKAGES}
    return machine | {name: version for name, version in versions.items() if version}
