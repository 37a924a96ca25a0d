"""CPU threads of a training process. Their number and the results do not depend on how many folds train at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits

from rtser_train.data.pools import pools_to_oneself


def use_threads(count: int) -> None:
    """Use `count` CPU threads for all that this thread computes from now on, whatever the environment says.

    Part of the setting holds for the whole process. So a worker calls this function where its work begins, and all
    threads of a process use the same count. Nothing is restored: other tasks of the process may still need the setting.
    """
    with pools_to_oneself():
        torch.set_num_threads(count)
        threadpool_limits(count)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Use `count` CPU threads inside; afterwards the caller's number is restored."""
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
