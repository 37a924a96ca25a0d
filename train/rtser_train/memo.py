"""The last result of a function, remembered safely where several threads call it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import TypeVar

Result = TypeVar("Result")


def last_of_each_thread(function: Callable[..., Result]) -> Callable[..., Result]:
    """Remember the last result in each thread, for results that must not be shared or are cheap to keep twice."""
    local = threading.local()

    @wraps(function)
    def remembered(*arguments: Hashable) -> Result:
        if not hasattr(local, "call"):
            local.call = lru_cache(maxsize=1)(function)
        result: Result = local.call(*arguments)
        return result

    return remembered


def last_of_all_threads(function: Callable[..., Result]) -> Callable[..., Result]:
    """Remember the last result for all threads, for large results. While one thread computes it, the others wait."""
    lock = threading.Lock()
    call = lru_cache(maxsize=1)(function)

    @wraps(function)
    def remembered(*arguments: Hashable) -> Result:
        with lock:
            return call(*arguments)

    return remembered
