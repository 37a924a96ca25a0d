"""CPU threads of a process that trains: the same however many folds are trained at once, so that results are too."""

from __future__ import annotations

import torch
from threadpoolctl import threadpool_limits


def use_threads(count: int) -> None:
    """Let all that this thread computes use `count` CPU threads, whatever the environment says.

    Part of it holds for the whole process, so that a worker calls it where its work begins, and all threads of a
    process with the same count.
    """
    torch.set_num_threads(count)
    threadpool_limits(count)
