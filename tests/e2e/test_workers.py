"""Folds trained apart: in processes of this machine, and on a local Dask cluster bound to loopback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from conftest import DATA, rtser
from distributed import LocalCluster
from test_chain import synthetic_emodb

pytestmark = pytest.mark.e2e

CHANGES = (
    "protocol.nested=false",
    "cnn.fit.epochs=2",
    "attention.heads=[feature-att]",
    "attention.fit.epochs=2",
)
SMALL = [word for change in CHANGES for word in ("--set", change)]


@pytest.fixture(scope="module")
def speech(tmp_path_factory) -> Path:
    if (DATA / "emodb").is_dir():
        return DATA / "emodb"
    return synthetic_emodb(tmp_path_factory.mktemp("synthetic") / "emodb")


def train(speech, run, *options, **environment):
    arguments = "train", "debug", "--corpus", f"emodb={speech}", "-o", run, *SMALL, *options
    done = rtser(*arguments, env=os.environ | environment)
    assert done.returncode == 0, done.stderr
    return [torch.load(run / "seed-1" / f"fold-{fold}" / "step.pt") for fold in (1, 2)]


@pytest.fixture(scope="module")
def here(speech, tmp_path_factory):
    """Both folds trained in one process, one after the other."""
    return train(speech, tmp_path_factory.mktemp("here") / "run", "--jobs", 1)


def equal(ours, its):
    networks = [(step["cnn"], *step["heads"].values()) for step in (ours, its)]
    pairs = zip(*networks, strict=True)
    return ours["calibrations"] == its["calibrations"] and all(
        torch.equal(one[name], other[name]) for one, other in pairs for name in one
    )


def test_folds_trained_at_the_same_time_are_those_trained_in_turn(here, speech, tmp_path):
    together = train(speech, tmp_path / "run", "--jobs", 2)
    assert all(equal(one, other) for one, other in zip(here, together, strict=True))


def test_threads_set_in_the_environment_change_nothing(here, speech, tmp_path):
    there = train(speech, tmp_path / "run", "--jobs", 1, OMP_NUM_THREADS="2", OPENBLAS_NUM_THREADS="2")
    assert all(equal(one, other) for one, other in zip(here, there, strict=True))


def local_cluster(workers, threads):
    """A Dask cluster of so many processes, each with so many threads."""
    return LocalCluster(
        n_workers=workers, threads_per_worker=threads, host="127.0.0.1", dashboard_address=None, processes=True
    )


@pytest.fixture
def cluster():
    with local_cluster(workers=2, threads=1) as running:
        yield running


def test_folds_trained_on_a_cluster_are_those_trained_here(here, cluster, speech, tmp_path):
    there = train(speech, tmp_path / "run", "--dask", cluster.scheduler_address)
    assert all(equal(one, other) for one, other in zip(here, there, strict=True))


def test_folds_trained_in_two_threads_of_one_worker_are_those_trained_in_turn(here, speech, tmp_path):
    with local_cluster(workers=1, threads=2) as cluster:
        together = train(speech, tmp_path / "run", "--dask", cluster.scheduler_address)
    assert all(equal(one, other) for one, other in zip(here, together, strict=True))


def test_a_worker_lost_in_the_middle_loses_no_fold(here, cluster, speech, tmp_path):
    command = [sys.executable, "-m", "rtser", "train", "debug", "--corpus", f"emodb={speech}", "-o", tmp_path / "run"]
    running = subprocess.Popen([*command, *SMALL, "--dask", cluster.scheduler_address], stderr=subprocess.PIPE)
    checkpoint = tmp_path / "run" / "seed-1" / "fold-1" / "inner-1.pt"
    for _ in range(600):
        if checkpoint.exists():
            break
        time.sleep(0.1)
    os.kill(cluster.workers[0].pid, signal.SIGKILL)
    _, errors = running.communicate(timeout=200)
    assert running.returncode == 0, errors
    steps = [torch.load(tmp_path / "run" / "seed-1" / f"fold-{fold}" / "step.pt") for fold in (1, 2)]
    assert all(equal(one, other) for one, other in zip(here, steps, strict=True))


def test_a_cluster_that_is_not_there_is_named(speech, tmp_path):
    done = rtser("train", "debug", "--corpus", f"emodb={speech}", "-o", tmp_path / "run", "--dask", "127.0.0.1:1")
    assert done.returncode == 5
    assert "no Dask scheduler at 127.0.0.1:1" in done.stderr
    assert "Traceback" not in done.stderr
