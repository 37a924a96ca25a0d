"""CPU threads of a process that trains: the same however many folds are trained at once, so that results are too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

from rtser_train.data.pools import pools_to_oneself


def use_threads(count: int) -> None:
    """Let all that this thread computes from now on use `count` CPU threads, whatever the environment says.

    Part of it holds for the whole process, so that a worker calls it where its work begins, and all threads of a
    process with the same count. Nothing is restored: other tasks of the process may still need the setting.
    """
    with pools_to_oneself():
        torch.set_num_threads(count)
        threadpool_limits(count)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Use `count` CPU threads inside, and what the caller used afterwards."""
    before = torch.get_num_threads()
    with pools_to_oneself():
        pools = threadpool_limits(count)
        torch.set_num_threads(count)
    try:
        yield
    finally:
        with pools_to_oneself():
            pools.restore_original_limits()
            torch.set_num_threads(before)
