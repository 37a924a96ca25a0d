"""What is measured: a model file, or the models of a run's folds, each on its own test utterances."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rtser.errors import InputError
from rtser.models import default_model_path, load
from rtser_train.data.corpora import Recording
from rtser_train.evaluation.predictions import read_predictions
from rtser_train.export.package import export_fold
from rtser_train.run import FoldFolder, Run

DEFAULT = "default"
"""Stands for the shipped model, where no file has this name."""


class Part(NamedTuple):
    """One model file of a contestant.

    Attributes:
        path: the file.
        sha256: of its content.
        tests: keys of the recordings that it is measured on; None for all.
        fold: the name of its fold; empty without one.
    """

    path: Path
    sha256: str
    tests: frozenset[tuple[str, str]] | None = None
    fold: str = ""


@dataclass(frozen=True)
class Contestant:
    """What is measured.

    Attributes:
        name: in tables.
        source: where it comes from.
        parts: its model files.
        labels: the K emotions, in the order of the outputs.
        label_threshold: the model's own.
        corpora: the training corpora that its file names; empty for a run's folds, which are measured on test speakers.
        merge: how its training merged emotions; empty if that is not known.
        tested: the corpora that a run's folds tested on; empty for a file, which may be measured on any.
        noise: the noise that it was trained with, as far as the file says: any of its corpora.
        held_out: noise of which a third was left out of training, as far as the file says.
        protocol: the measured utterances, in words.
    """

    name: str
    source: str
    parts: tuple[Part, ...]
    labels: tuple[str, ...]
    label_threshold: float
    corpora: tuple[str, ...]
    merge: Mapping[str, str]
    tested: tuple[str, ...]
    noise: tuple[str, ...]
    held_out: tuple[str, ...]
    protocol: str

    def part_of(self, recording: Recording) -> int | None:
        """Index of the part that is measured on a recording; None if there is none."""
        for number, part in enumerate(self.parts):
            if part.tests is None or recording.key in part.tests:
                return number
        return None

    def trained_on(self, corpus: str) -> bool:
        """Whether the file says that it was trained on a corpus."""
        return corpus in self.corpora


def of_file(path: Path) -> Contestant:
    """A model file; ``default`` is the shipped one.

    Raises:
        ModelError: it cannot be used.
    """
    shipped = str(path) == DEFAULT and not path.exists()
    file = default_model_path() if shipped else path
    model = load(file, "cpu")
    about = model.metadata
    return Contestant(
        name=about.name,
        source="the shipped model" if shipped else str(path),
        parts=(Part(file.resolve(), model.sha256),),
        labels=model.labels,
        label_threshold=about.label_threshold,
        corpora=about.corpora,
        merge={},
        tested=(),
        noise=about.corpora,
        held_out=about.held_out,
        protocol="one model file, on all utterances chosen",
    )


def of_run(folder: Path, head: str | None, only: str | None = None) -> Contestant:
    """The models of a run's test folds, of its first seed, each measured on the utterances that its fold tested.

    Args:
        folder: the run's.
        head: which of its networks on bags; the first if None.
        only: the name of one fold; None for all that are trained.

    Raises:
        InputError: there is no such run, fold or head, or none is trained.
        OutputError: a model file cannot be written into the run's folder.
    """
    run = Run.open(folder)
    experiment = run.experiment
    head = experiment.head(head)
    seed = experiment.seeds[0]
    folds = run.finished_tests(seed) if only is None else [run.fold(seed, only)]
    if not folds:
        raise InputError(f"{folder} has no trained test fold", "run rtser train again to go on")
    parts = tuple(_part(run, fold, head) for fold in folds)
    heard = {corpus for part in parts for corpus, _ in part.tests or ()}
    which = f"fold {only}" if only else f"{len(folds)} test folds"
    return Contestant(
        name=experiment.name,
        source=str(folder),
        parts=parts,
        labels=tuple(experiment.emotions),
        label_threshold=experiment.label_threshold,
        corpora=(),
        merge=experiment.merge,
        tested=tuple(corpus for corpus in experiment.corpora if corpus in heard),
        noise=tuple(experiment.sources),
        held_out=tuple(experiment.held_out),
        protocol=f"the models of {which} of seed {seed}, each on the utterances that its fold tested "
        f"({experiment.protocol.kind})",
    )


def of_fold(path: Path, head: str | None) -> Contestant:
    """The model of one fold, named by its folder (RUN/seed-1/fold-2), on the utterances that the fold tested."""
    seed, fold = path.parent.name.removeprefix("seed-"), path.name.removeprefix("fold-")
    if not path.is_dir() or not seed.isdigit() or fold == path.name:
        raise InputError(f"{path} is not the folder of a fold", "name one such as RUN/seed-1/fold-2")
    folder = path.parent.parent
    first = Run.open(folder).experiment.seeds[0]
    if int(seed) != first:
        raise InputError(f"{path} is of seed {seed}", f"only folds of the run's first seed ({first}) are measured")
    return of_run(folder, head, fold)


def _part(run: Run, fold: FoldFolder, head: str) -> Part:
    """The model of a fold, exported, and what it tested."""
    path = export_fold(run, fold, head)
    if not fold.predictions.is_file():
        raise InputError(f"{fold.path} tested nobody", "name a test fold")
    tests = frozenset((one.corpus, one.recording) for one in read_predictions(fold.predictions))
    return Part(path.resolve(), hashlib.sha256(path.read_bytes()).hexdigest(), tests, fold.fold)
