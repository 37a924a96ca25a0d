"""A whole experiment: what is decided before any fold is trained."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from rtser_train import crossval
from rtser_train.config import Experiment
from rtser_train.crossval import FoldTask, Workers
from rtser_train.data.experiment_data import fingerprint
from rtser_train.fitting.threads import use_threads
from rtser_train.progress import ProgressReporter
from rtser_train.run import FoldFolder, Parts
from threadpoolctl import threadpool_info, threadpool_limits
from training.bags import a_bag

from rtser.errors import InputError, UnavailableError
from rtser.settings import checked


class LoadedError(Exception):
    """Raised where recordings would be loaded."""


@pytest.mark.parametrize(("jobs", "extracting"), [(3, 3), (None, -1)])
def test_features_are_extracted_by_as_many_processes_as_jobs_says(jobs, extracting, tmp_path, monkeypatch):
    def load(*_, jobs):
        raise LoadedError(jobs)

    monkeypatch.setattr(crossval, "load", load)
    experiment = checked(Experiment, {"name": "x", "emotions": ["angry", "sad"], "corpora": ["c"]}, "x")
    with pytest.raises(LoadedError, match=rf"^{extracting}$"):
        crossval.train(experiment, {}, tmp_path / "run", [], ProgressReporter(quiet=True), Workers(jobs=jobs))


@pytest.mark.parametrize(("free_gb", "cores", "jobs"), [(100, 4, 4), (2.5, 4, 2), (0.1, 4, 1)])
def test_as_many_folds_are_trained_at_once_as_cores_and_free_memory_allow(free_gb, cores, jobs, monkeypatch):
    monkeypatch.setattr(crossval, "cores", lambda: cores)
    memory = SimpleNamespace(available=free_gb * crossval.PROCESS_BYTES)
    monkeypatch.setattr(crossval.psutil, "virtual_memory", lambda: memory)
    assert crossval.affordable_jobs([a_bag()], "cpu") == jobs


@pytest.mark.parametrize("count", [2, 1])
def test_a_worker_uses_as_many_threads_as_it_is_told(count):
    before = torch.get_num_threads()
    use_threads(count)
    assert torch.get_num_threads() == count
    use_threads(before)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system cannot bind a process to a core")
def test_cores_that_a_process_may_not_use_do_not_count():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
        "from rtser_train.crossval import affordable_jobs, cores; print(cores(), affordable_jobs([], 'cpu'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1", "1"]


def an_experiment():
    protocol = {"final": False, "nested": False, "validation": 0.5}
    content = {"name": "x", "emotions": ["angry", "sad"], "corpora": ["c"], "protocol": protocol}
    return checked(Experiment, content, "x")


def bags_of(speakers, label=0):
    bag = a_bag(label=label)
    return [replace(bag, recording=replace(bag.recording, speaker=speaker)) for speaker in speakers]


def pool_sizes():
    return torch.get_num_threads(), [pool["num_threads"] for pool in threadpool_info()]


def test_training_in_this_process_restores_the_callers_number_of_threads(tmp_path, monkeypatch):
    monkeypatch.setattr(crossval, "load", lambda *_, **__: (bags_of("abcd"), []))
    inside = []
    monkeypatch.setattr(crossval, "train_fold", lambda *_: inside.append(torch.get_num_threads()))
    original = torch.get_num_threads()
    with threadpool_limits(2):
        torch.set_num_threads(2)
        before = pool_sizes()
        crossval.train(an_experiment(), {}, tmp_path / "run", [], ProgressReporter(quiet=True), Workers(jobs=1))
        after = pool_sizes()
    torch.set_num_threads(original)
    assert inside == [1, 1]
    assert after == before


def test_a_worker_does_not_train_on_other_recordings_than_those_noted(tmp_path, monkeypatch):
    monkeypatch.setattr(crossval, "_loaded", lambda *_: (bags_of("abcd"), []))
    monkeypatch.setattr(crossval, "use_threads", lambda _: None)
    trained = []
    monkeypatch.setattr(crossval, "train_fold", lambda *_: trained.append(True))
    folder = FoldFolder(tmp_path, 1, "1")
    folder.note_parts(Parts(train={"c/a": 1}, validation={}, test={"c/b": 1}, recordings="another"))
    with pytest.raises(InputError, match="other recordings"):
        crossval.train_alone(FoldTask(an_experiment(), (), "", folder, "cpu", 1))
    assert not trained


def test_a_worker_loads_the_recordings_again_where_they_have_changed(tmp_path, monkeypatch):
    loaded = []
    monkeypatch.setattr(crossval, "load", lambda *_, **__: loaded.append(True) or (bags_of("abcd"), []))
    monkeypatch.setattr(crossval, "use_threads", lambda _: None)
    monkeypatch.setattr(crossval, "train_fold", lambda *_: None)
    for recordings in ("first", "first", "second"):
        task = FoldTask(an_experiment(), (), recordings, FoldFolder(tmp_path, 1, "1"), "cpu", 1)
        crossval.train_alone(task)
    assert len(loaded) == 2


def test_the_fingerprint_of_recordings_changes_with_their_names_classes_and_times(tmp_path):
    path = tmp_path / "a.wav"
    path.touch()
    (bag,) = bags_of("a")
    bag = replace(bag, recording=replace(bag.recording, path=path))
    prints = [fingerprint([bag]), fingerprint([replace(bag, label=1)]), fingerprint([bag, bag])]
    os.utime(path, ns=(0, 0))
    assert len({*prints, fingerprint([bag])}) == 4
    assert fingerprint([bag]) == fingerprint([bag])


def test_a_scheduler_without_workers_is_named(monkeypatch):
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(crossval, "WORKERS_WAIT_S", 0.2)
    cluster = distributed.LocalCluster(
        n_workers=0, host="127.0.0.1", dashboard_address=None, protocol="tcp://", processes=False
    )
    with cluster, pytest.raises(UnavailableError, match="has no workers; start some with dask worker"):
        address = Workers(dask=cluster.scheduler_address)
        crossval._train_apart([None], 1, address, ProgressReporter(quiet=True))
