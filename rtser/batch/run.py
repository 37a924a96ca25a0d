"""Recognising many recordings at once, here or on a Dask cluster."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import Any

from rtser.batch.work import Job, recognised
from rtser.errors import InputError, UnavailableError

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

    Raises:
        InputError: a process was killed.
    """
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")
    waiting: dict[Future[list[dict[str, Any]]], str] = {}
    left = iter(names)
    with ProcessPoolExecutor(jobs, get_context("spawn"), _begin) as pool:
        try:
            while True:
                while len(waiting) < AHEAD * jobs and not stopped() and (name := next(left, None)) is not None:
                    waiting[pool.submit(recognised, job, name)] = name
                if not waiting:
                    return
                done, _ = wait(waiting, timeout=0.5, return_when=FIRST_COMPLETED)
                if stopped():
                    for future in [one for one in waiting if one.cancel()]:
                        del waiting[future]
                for future in done:
                    if future in waiting:
                        yield waiting.pop(future), future.result()
        except BrokenProcessPool:
            problem = "a process was killed, perhaps because memory ran out"
            raise InputError(problem, "give the same command again with fewer --jobs: it goes on") from None
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def on_cluster(job: Job, names: list[str], address: str, stopped: Callable[[], bool]) -> Iterator[Results]:
    """As `here`, on a Dask cluster, whose workers can read the recordings under the same names.

    Raises:
        UnavailableError: Dask is not installed, or the scheduler cannot be reached, or has no workers.
    """
    try:
        from distributed import Client, as_completed
    except ModuleNotFoundError:
        how = "in the checkout: pip install -c constraints.txt '.[dask]'"
        raise UnavailableError("a cluster needs the package distributed", how) from None
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
            yield name, future.result()
            if not stopped() and (following := next(left, None)) is not None:
                added = client.submit(recognised, shared, following, pure=False)
                running[added] = following
                completed.add(added)


def _begin() -> None:
    """An interrupt is for the main process; this one is told to end."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
