"""Recognising many recordings at once, here or on a Dask cluster."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from typing import Any

from rtser.batch.work import Job, failed, recognised
from rtser.errors import INSTALL, UnavailableError

Results = tuple[str, list[dict[str, Any]]]
AHEAD = 4
"""Recordings that wait for each process, so that none is idle."""
CONNECT_S = 10


def here(job: Job, names: list[str], jobs: int, stopped: Callable[[], bool]) -> Iterator[Results]:
    """The results of recordings as they come, by processes of this machine.

    Args:
        job: how they are recognised.
        names: the recordings.
        jobs: how many processes.
        stopped: whether no more are to be begun.

    A recording whose process is killed, perhaps because memory ran out, is tried once more alone.
    """
    left = iter(names)
    suspects: list[str] = []  # what was open when a process was killed: one of them may kill the next one too
    while True:
        alone = bool(suspects)
        source = iter([suspects.pop(0)]) if alone else left
        killed = yield from _in_pool(job, source, 1 if alone else jobs, stopped)
        if alone and killed:
            yield killed[0], failed(killed[0], "it kills the process that decodes it")
        elif killed:
            suspects += killed
        if stopped() or not (suspects or killed or alone):
            return


def _in_pool(
    job: Job, names: Iterator[str], jobs: int, stopped: Callable[[], bool]
) -> Generator[Results, None, list[str]]:
    """`here`, until all are done or a process is killed: what was open then."""
    waiting: dict[Future[list[dict[str, Any]]], str] = {}
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin)
    try:
        while True:
            while len(waiting) < AHEAD * jobs and not stopped() and (name := next(names, None)) is not None:
                waiting[pool.submit(recognised, job, name)] = name
            if not waiting:
                return []
            finished, _ = wait(waiting, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in finished:
                entries = future.result()
                yield waiting.pop(future), entries
            if stopped():
                return []
    except BrokenProcessPool:
        return list(waiting.values())
    finally:
        for process in list((pool._processes or {}).values()):  # results are whole or absent
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


def on_cluster(job: Job, names: list[str], address: str, stopped: Callable[[], bool]) -> Iterator[Results]:
    """As `here`, on a Dask cluster, whose workers can read the recordings under the same names.

    Raises:
        UnavailableError: Dask is not installed, or the scheduler cannot be reached, or has no workers.
    """
    try:
        from distributed import Client, KilledWorker, as_completed
    except ModuleNotFoundError:
        raise UnavailableError("a cluster needs the package distributed", INSTALL.format("dask")) from None
    try:
        client = Client(address, timeout=CONNECT_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise UnavailableError(
            f"the Dask scheduler at {address} cannot be reached ({error})", "name another one"
        ) from None
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise UnavailableError(f"the Dask scheduler at {address} has no workers", "start some with dask worker")
        shared = client.scatter(job, broadcast=True)
        left = iter(names)
        first = [name for _, name in zip(range(AHEAD * threads), left, strict=False)]
        running = {client.submit(recognised, shared, name, pure=False): name for name in first}
        completed = as_completed(list(running))
        for future in completed:
            name = running.pop(future)
            try:
                entries = future.result()
            except KilledWorker:
                entries = failed(name, "it kills the process that decodes it")
            except Exception as error:
                what = str(error).splitlines()[0] if str(error) else type(error).__name__
                problem = f"the Dask cluster at {address} has failed ({what})"
                advice = "see that rtser is installed on all workers; the same command goes on"
                raise UnavailableError(problem, advice) from None
            yield name, entries
            if stopped():
                client.cancel(list(running))
                return
            if (following := next(left, None)) is not None:
                added = client.submit(recognised, shared, following, pure=False)
                running[added] = following
                completed.add(added)


def _begin() -> None:
    """An interrupt is for the main process, which ends this one; so does the main process's own end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(0)
