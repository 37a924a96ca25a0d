"""A whole experiment: what is decided before any fold is trained."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from rtser_train import crossval
from rtser_train.config import Experiment
from rtser_train.crossval import Workers
from rtser_train.fitting.threads import use_threads
from rtser_train.progress import ProgressReporter
from training.bags import a_bag

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
    monkeypatch.setattr(crossval, "cpu_count", lambda: cores)
    memory = SimpleNamespace(available=free_gb * crossval.PROCESS_BYTES)
    monkeypatch.setattr(crossval.psutil, "virtual_memory", lambda: memory)
    assert crossval.affordable_jobs([a_bag()], "cpu") == jobs


@pytest.mark.parametrize("count", [2, 1])
def test_a_worker_uses_as_many_threads_as_it_is_told(count):
    before = torch.get_num_threads()
    use_threads(count)
    assert torch.get_num_threads() == count
    use_threads(before)
