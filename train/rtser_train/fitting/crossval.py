"""A whole experiment: folds and seeds as independent tasks, in this process, in several, or on a cluster."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import torch
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError

from rtser.errors import InputError
from rtser_train.config import Experiment
from rtser_train.data.bags import Bag
from rtser_train.data.experiment_data import load
from rtser_train.data.folds import Fold, inner_parts, make_folds
from rtser_train.fitting.fold import train_fold
from rtser_train.fitting.stage1 import Task
from rtser_train.progress import Reporter
from rtser_train.run import check_run, check_speakers, fold_folder, open_run

PROCESS_BYTES = 1_000_000_000
"""Memory of a process that trains, beside its recordings."""
GPU_BYTES = 4_000_000_000
"""GPU memory of a process that trains."""


class FoldTask(NamedTuple):
    """A fold to train, small enough to be sent to another machine, which finds recordings and run at the same paths."""

    experiment: Experiment
    roots: tuple[tuple[str, Path], ...]
    run: Path
    seed: int
    fold: str
    device: str
    threads: int

    @property
    def folder(self) -> Path:
        """Where the fold lies."""
        return fold_folder(self.run, self.seed, self.fold)


class Workers(NamedTuple):
    """Where folds are trained.

    Attributes:
        device: ``cpu`` or ``cuda``.
        jobs: processes at the same time; None for one a core, fewer where memory is short.
        threads: CPU threads of each; None for one, or for all cores where there is only one fold.
        dask: address of a Dask scheduler, whose workers are used instead of processes of this machine.
    """

    device: str = "cpu"
    jobs: int | None = None
    threads: int | None = None
    dask: str | None = None


def train(
    experiment: Experiment,
    roots: Mapping[str, Path],
    run: Path,
    folds: Collection[str],
    reporter: Reporter,
    workers: Workers = Workers(),
) -> None:
    """Train an experiment's folds, going on where an earlier call was broken off.

    Args:
        experiment: all settings.
        roots: the folder of each corpus and of the noise recordings, by name.
        run: the run's folder.
        folds: names of those to train; all if empty.
        reporter: told of the progress.
        workers: where they are trained.

    Raises:
        InputError: a corpus is missing or unsuitable, a fold does not exist, or `run` holds another experiment.
    """
    check_run(experiment, run)
    if any(name.startswith("egemaps") for name in experiment.baselines):
        import opensmile  # noqa: F401  # missing: say so before the hours of work
    bags, noise = load(experiment, roots, reporter)
    folds_of = {seed: make_folds(bags, experiment.protocol, seed) for seed in experiment.seeds}
    chosen = [(seed, fold) for seed, made in folds_of.items() for fold in _chosen(made, folds)]
    for seed, fold in chosen:  # what cannot be trained fails now rather than after an hour
        if experiment.protocol.nested:
            inner_parts(fold.train, experiment.protocol, seed)
        if "egemaps-svm-corpus" in experiment.baselines:
            _check_corpora(fold)
    open_run(experiment, run)
    for seed, made in folds_of.items():
        for fold in made:
            check_speakers(fold, fold_folder(run, seed, fold.name))
    for seed, fold in chosen:
        reporter.line(f"seed {seed}, {fold.describe()}")
    alone = sum(map(len, folds_of.values())) == 1
    threads = workers.threads or ((os.cpu_count() or 1) if alone else 1)
    everywhere = experiment, tuple(roots.items()), run.resolve()
    tasks = [FoldTask(*everywhere, seed, fold.name, workers.device, threads) for seed, fold in chosen]
    left = [task for task in tasks if not (task.folder / "step.pt").exists()]
    if len(left) < len(tasks):
        reporter.line(f"{len(tasks) - len(left)} of {len(tasks)} folds are trained already")
    jobs = min(len(left), workers.jobs or _affordable([*bags, *noise], workers.device))
    if jobs <= 1 and not workers.dask:
        for task in left:
            _train(task, bags, noise, reporter)
    else:
        _train_apart(left, jobs, workers, reporter)


def _chosen(folds: Sequence[Fold], names: Collection[str]) -> list[Fold]:
    """The folds of these names, or all."""
    unknown = set(names) - {fold.name for fold in folds}
    if unknown:
        raise InputError(f"there is no fold {min(unknown)}; there are {', '.join(fold.name for fold in folds)}.")
    return [fold for fold in folds if not names or fold.name in names]


def _check_corpora(fold: Fold) -> None:
    """Raise InputError where a corpus that is tested on has too little in training for a classifier of its own."""
    classes: dict[str, set[int]] = {bag.utterance.corpus: set() for bag in fold.test}
    for bag in (*fold.train, *fold.validation):
        classes.setdefault(bag.utterance.corpus, set()).add(bag.label)
    for corpus, labels in classes.items():
        if len(labels) < 2:
            raise InputError(
                f"fold {fold.name} has fewer than two emotions of {corpus} to train on, and the baseline "
                "egemaps-svm-corpus trains on each corpus alone; leave it out."
            )


def train_alone(task: FoldTask) -> FoldTask:
    """Train a fold in a process of its own, which loads its recordings once for all its folds."""
    reporter = Reporter(prefix=f"seed {task.seed} fold {task.fold} ")
    _train(task, *_loaded(task.experiment.model_dump_json(), task.roots), reporter)
    return task


def _train(task: FoldTask, bags: Sequence[Bag], noise: Sequence[Bag], reporter: Reporter) -> None:
    torch.set_num_threads(task.threads)
    (fold,) = _chosen(make_folds(bags, task.experiment.protocol, task.seed), [task.fold])
    train_fold(fold, noise, Task(task.experiment, task.seed, task.device, reporter), task.folder)


@lru_cache(maxsize=1)
def _loaded(experiment: str, roots: tuple[tuple[str, Path], ...]) -> tuple[list[Bag], list[Bag]]:
    return load(Experiment.model_validate_json(experiment), dict(roots), Reporter(quiet=True), jobs=1)


def _train_apart(tasks: Sequence[FoldTask], jobs: int, workers: Workers, reporter: Reporter) -> None:
    """Train folds in other processes; each that is done stays done, whatever happens to the others."""
    with _backend(workers), reporter.job("folds", len(tasks)) as job:
        at_once = -1 if workers.dask else jobs
        done = Parallel(n_jobs=at_once, return_as="generator_unordered")(delayed(train_alone)(task) for task in tasks)
        try:
            for task in done:
                job.step(f"seed {task.seed} fold {task.fold} is done")
        except TerminatedWorkerError:
            raise InputError(
                "a training process was lost, perhaps for want of memory (--jobs 1 needs least); finished folds are "
                "kept, and the same command goes on."
            ) from None


@contextmanager
def _backend(workers: Workers) -> Iterator[None]:
    """Processes of this machine, or a Dask cluster; with ``cuda`` on workers that offer a resource ``GPU``."""
    if workers.dask is None:
        yield
        return
    from distributed import Client

    resources = {"resources": {"GPU": 1}} if workers.device == "cuda" else {}
    try:
        client = Client(workers.dask, timeout="10s")  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise InputError(f"there is no Dask scheduler at {workers.dask} ({error}).") from None
    with client, parallel_config(backend="dask", wait_for_workers_timeout=60, **resources):
        yield


def _affordable(bags: Sequence[Bag], device: str) -> int:
    """How many processes may train at once: one a core, as far as the free memory goes, that of the GPU too."""
    cores = os.cpu_count() or 1
    if device == "cuda":
        cores = min(cores, max(1, torch.cuda.mem_get_info()[0] // GPU_BYTES))
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return cores
    return max(1, min(cores, free // (PROCESS_BYTES + 2 * sum(bag.frames.nbytes for bag in bags))))
