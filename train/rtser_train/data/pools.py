"""Sizes of the thread pools of BLAS and OpenMP, which belong to the whole process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import threadpoolctl
from threadpoolctl import threadpool_limits

_LOCK = Lock()


@contextmanager
def pools_to_oneself() -> Iterator[None]:
    """Hold the right to change the sizes of the pools; only one thread of the process at a time has it."""
    with _LOCK:
        # From 3.8 on, threadpoolctl lets only the first thread change OpenBLAS, and ignores all others silently.
        release = getattr(threadpoolctl.OpenBLASController, "clear_controlling_thread", None)
        if release is not None:
            release(force=True)
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute with one thread, so that the last bits do not depend on how many there are; then restore the pools.

    Only one thread of the process at a time may enter. Otherwise the first to leave would restore the pools while the
    second still computes, and the second would then restore the size of one thread that it found.
    """
    with pools_to_oneself(), threadpool_limits(1):
        yield
