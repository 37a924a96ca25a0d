"""A whole experiment: folds and seeds as independent tasks, in this process, in several, or on a cluster."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil
import torch
from joblib import Parallel, delayed, parallel_config
from joblib.externals.loky.process_executor import TerminatedWorkerError

from rtser.cores import cores
from rtser.errors import InputError, UnavailableError
from rtser.orphans import end_with_parent
from rtser_train.config import Experiment
from rtser_train.data.bags import Bag
from rtser_train.data.experiment_data import fingerprint, load
from rtser_train.data.folds import Fold, inner_parts, make_folds
from rtser_train.export.start import start_of
from rtser_train.fitting.context import FitContext
from rtser_train.fitting.threads import threads, use_threads
from rtser_train.fold import train_fold
from rtser_train.memo import last_of_all_threads
from rtser_train.progress import ProgressReporter
from rtser_train.registry import BASELINES
from rtser_train.run import FoldFolder, Run

PROCESS_BYTES = 1_000_000_000
"""Memory of a training process, besides its recordings."""
SEGMENT_BYTES = 2_000
"""Memory of a segment: its embedding, and the data computed from it."""
WORKERS_WAIT_S = 60
"""How long to wait for the first worker of a Dask scheduler."""
GPU_BYTES = 4_000_000_000
"""GPU memory of a training process."""


class FoldTask(NamedTuple):
    """A fold to train. It is small enough to send to another machine, which finds recordings and run at the same paths.

    Attributes:
        experiment: all settings.
        roots: the folder of each corpus and of the noise recordings, by name.
        recordings: a fingerprint of the recordings; a worker that holds other recordings loads the right ones.
        folder: the fold's files.
        device: ``cpu`` or ``cuda``.
        threads: CPU threads.
    """

    experiment: Experiment
    roots: tuple[tuple[str, Path], ...]
    recordings: str
    folder: FoldFolder
    device: str
    threads: int

    def __str__(self) -> str:
        return f"seed {self.folder.seed} fold {self.folder.fold}"


class Workers(NamedTuple):
    """Where folds are trained.

    Attributes:
        device: ``cpu`` or ``cuda``.
        jobs: processes at the same time, also for features; None for one per core, and fewer folds if memory is short.
        threads: CPU threads of each process; None for one, or for all cores if there is only one fold.
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
    reporter: ProgressReporter,
    workers: Workers = Workers(),
) -> None:
    """Train an experiment's folds; continues an interrupted call.

    Args:
        experiment: all settings.
        roots: the folder of each corpus and of the noise recordings, by name.
        run: the run's folder.
        folds: names of those to train; all if empty.
        reporter: reports the progress.
        workers: where the folds are trained.

    Raises:
        InputError: a corpus is missing or unsuitable, a fold does not exist, or `run` holds another experiment.
        ModelError: `cnn.start` is not a suitable model.
        UnavailableError: the Dask scheduler does not answer, or has no workers.
        OutputError: `run` cannot be written.
    """
    Run.check(experiment, run)
    bags, noise = load(experiment, roots, reporter, jobs=workers.jobs or -1)
    folds_of = {seed: make_folds(bags, experiment.protocol, seed) for seed in experiment.seeds}
    chosen = [(seed, fold) for seed, made in folds_of.items() for fold in _chosen(made, folds)]
    for seed, fold in chosen:
        _check(fold, experiment, seed)
    if not run.exists():
        start_of(experiment)  # a file that is unfit leaves no folder behind
    noted = _noted(experiment, run.resolve(), folds_of)
    for seed, fold in chosen:
        reporter.line(f"seed {seed}, {fold.describe()}")
    alone = sum(map(len, folds_of.values())) == 1
    count = workers.threads or (cores() if alone else 1)
    recordings = fingerprint([*bags, *noise])
    folders = [noted.fold(seed, fold.name) for seed, fold in chosen]
    left = [
        FoldTask(experiment, tuple(roots.items()), recordings, folder, workers.device, count)
        for folder in folders
        if not folder.finished
    ]
    if left:
        start_of(experiment)  # a file that is unfit fails now
    if len(left) < len(folders):
        reporter.line(f"{len(folders) - len(left)} of {len(folders)} folds are trained already")
    jobs = min(len(left), workers.jobs or affordable_jobs([*bags, *noise], workers.device))
    if jobs <= 1 and not workers.dask:
        with threads(count):
            for task in left:
                _train(task, bags, noise, reporter)
    else:
        _train_apart(left, jobs, workers, reporter)


def _chosen(folds: Sequence[Fold], names: Collection[str]) -> list[Fold]:
    """The folds of these names, or all."""
    unknown = set(names) - {fold.name for fold in folds}
    if unknown:
        raise InputError(f"there is no fold {min(unknown)}", f"choose from {', '.join(fold.name for fold in folds)}")
    return [fold for fold in folds if not names or fold.name in names]


def _check(fold: Fold, experiment: Experiment, seed: int) -> None:
    """Fail now, and not after an hour, if something cannot be trained."""
    if experiment.protocol.nested:
        inner_parts(fold.train, experiment.protocol, seed)
    if fold.test:
        for name in experiment.baselines:
            BASELINES.get(name).check(fold)


def _noted(experiment: Experiment, folder: Path, folds_of: Mapping[int, Sequence[Fold]]) -> Run:
    """The run's folder, made or found. It notes the speakers in each part of each fold."""
    run = Run.create(experiment, folder, {seed: [fold.name for fold in folds] for seed, folds in folds_of.items()})
    for seed, folds in folds_of.items():
        for fold in folds:
            run.fold(seed, fold.name).note_parts(fold.parts())
    return run


def train_alone(task: FoldTask) -> FoldTask:
    """Train a fold in a worker, whose process loads the recordings once for all its folds and threads.

    Raises:
        InputError: the worker's recordings differ from those that the run began with.
    """
    use_threads(task.threads)
    bags, noise = _loaded(task.experiment.model_dump_json(), task.roots, task.recordings)
    _train(task, bags, noise, ProgressReporter(prefix=f"{task} "))
    return task


def _train_in_process(task: FoldTask) -> FoldTask:
    """`train_alone` in a process that this process has started."""
    end_with_parent()
    return train_alone(task)


def _train(task: FoldTask, bags: Sequence[Bag], noise: Sequence[Bag], reporter: ProgressReporter) -> None:
    (fold,) = _chosen(make_folds(bags, task.experiment.protocol, task.folder.seed), [task.folder.fold])
    task.folder.note_parts(fold.parts())
    context = FitContext(task.experiment, task.folder.seed, task.device, reporter, start_of(task.experiment))
    train_fold(fold, noise, context, task.folder)


@last_of_all_threads
def _loaded(
    experiment: str,
    roots: tuple[tuple[str, Path], ...],
    recordings: str,  # noqa: ARG001  # changed corpora are loaded again
) -> tuple[list[Bag], list[Bag]]:
    return load(Experiment.model_validate_json(experiment), dict(roots), ProgressReporter(quiet=True), jobs=1)


def _train_apart(tasks: Sequence[FoldTask], jobs: int, workers: Workers, reporter: ProgressReporter) -> None:
    """Train folds in other processes; a finished fold is kept, whatever happens to the others."""
    with _backend(workers), reporter.job("folds", len(tasks)) as job:
        at_once = -1 if workers.dask else jobs
        work = train_alone if workers.dask else _train_in_process
        calls = (delayed(work)(task) for task in tasks)
        try:
            done = Parallel(n_jobs=at_once, return_as="generator_unordered")(calls)
        except TimeoutError:
            raise UnavailableError(
                f"the Dask scheduler at {workers.dask} has no workers", "start some with dask worker"
            ) from None
        try:
            for task in done:
                job.step(f"{task} is done")
        except TerminatedWorkerError:
            raise InputError(
                "a training process was killed, perhaps because memory ran out",
                "run the same command again with fewer --jobs: it keeps the finished folds and continues",
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
        raise UnavailableError(
            f"there is no Dask scheduler at {workers.dask} ({str(error).rstrip('.')})",
            "start one with dask scheduler, or train without --dask",
        ) from None
    with client, parallel_config(backend="dask", wait_for_workers_timeout=WORKERS_WAIT_S, **resources):
        yield


def affordable_jobs(bags: Sequence[Bag], device: str) -> int:
    """How many processes may train at once: one per core, limited by the free memory, also of the GPU."""
    jobs = cores()
    if device == "cuda":
        jobs = min(jobs, torch.cuda.mem_get_info()[0] // GPU_BYTES)
    needed = PROCESS_BYTES + sum(len(bag.speech) for bag in bags) * SEGMENT_BYTES
    return int(max(1, min(jobs, psutil.virtual_memory().available // needed)))
