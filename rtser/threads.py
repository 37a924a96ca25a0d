"""A guard for what belongs to one thread at a time."""

from __future__ import annotations

import threading

from rtser.errors import ArgumentError


class OneAtATime:
    """A context that one thread may enter at a time.

    Two threads in one stream or bank would corrupt it, so the second one gets an ArgumentError at once.

    Args:
        what: "stream" or "bank".
    """

    def __init__(self, what: str) -> None:
        self._what, self._lock = what, threading.Lock()

    def __enter__(self) -> None:
        if not self._lock.acquire(blocking=False):
            advice = f"give each thread a {self._what} of its own, or hold a lock around its calls"
            raise ArgumentError(f"two threads use one {self._what} at once", advice)

    def __exit__(self, *_: object) -> None:
        self._lock.release()
