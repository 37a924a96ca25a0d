"""Recognising many recordings at once, here or on a Dask cluster."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from typing import Any, TypeVar

from rtser.batch.work import Job, failed, recognised
from rtser.errors import INSTALL, UnavailableError
from rtser.orphans import end_with_parent

Results = tuple[str, list[dict[str, Any]]]
Result = TypeVar("Result")
AHEAD = 4
"""Recordings that wait for each process, so that no process is idle."""
AHEAD_IN_ORDER = 32
"""The same if the order is kept: finished recordings then wait for earlier ones."""
CONNECT_S = 10
DEADLY = "it kills the process that decodes it"


def here(job: Job, names: list[str], jobs: int, stopped: Callable[[], bool]) -> Iterator[Results]:
    """The results of recordings as they are finished, from processes of this machine; see `in_processes`."""
    return in_processes(partial(recognised, job), names, jobs, stopped, lambda name: failed(name, DEADLY))


def in_processes(
    work: Callable[[str], Result],
    names: list[str],
    jobs: int,
    stopped: Callable[[], bool],
    killed: Callable[[str], Result],
    ordered: bool = False,
) -> Iterator[tuple[str, Result]]:
    """The results of some work on each recording, from processes of this machine.

    A recording whose process is killed, perhaps because memory ran out, is tried once more alone.

    Args:
        work: takes a recording's name; it and its results can be sent to another process.
        names: the recordings.
        jobs: number of processes.
        stopped: whether no more recordings should be started.
        killed: the result of a recording that kills its process.
        ordered: whether results come in the order of the names, or as they are finished.
    """
    left = iter(names)
    suspects: list[str] = []  # in work when a process was killed: one of them may kill the next process too
    while True:
        alone = bool(suspects)
        source = iter([suspects.pop(0)]) if alone else left
        open_then = yield from _in_pool(work, source, 1 if alone else jobs, stopped, ordered)
        if alone and open_then:
            yield open_then[0], killed(open_then[0])
        elif open_then:
            suspects += open_then
        if stopped() or not (suspects or open_then or alone):
            return


def _in_pool(
    work: Callable[[str], Result], names: Iterator[str], jobs: int, stopped: Callable[[], bool], ordered: bool
) -> Generator[tuple[str, Result], None, list[str]]:
    """As `in_processes`, until all are done or a process is killed; returns the recordings in work at that time."""
    waiting: dict[Future[Result], str] = {}
    most = (AHEAD_IN_ORDER if ordered else AHEAD) * jobs
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _begin)
    try:
        while True:
            while len(waiting) < most and not stopped() and (name := next(names, None)) is not None:
                waiting[pool.submit(work, name)] = name
            if not waiting:
                return []
            watched = [next(iter(waiting))] if ordered else list(waiting)
            finished, _ = wait(watched, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in finished:
                result = future.result()
                yield waiting.pop(future), result
            if stopped():
                return []
    except BrokenProcessPool:
        return list(waiting.values())
    finally:
        for process in list((pool._processes or {}).values()):  # results are whole or absent
            process.terminate()
        pool.shutdown(wait=True, cancel_futures=True)


def on_cluster(job: Job, names: list[str], address: str, stopped: Callable[[], bool]) -> Iterator[Results]:
    """As `here`, on a Dask cluster whose workers can read the recordings under the same names.

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
                entries = failed(name, DEADLY)
            except Exception as error:
                what = str(error).splitlines()[0] if str(error) else type(error).__name__
                problem = f"the Dask cluster at {address} has failed ({what})"
                advice = "check that rtser is installed on all workers; the same command continues"
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
    """Ignore interrupts: the main process handles them, and ends this one; so does the main process's own end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
