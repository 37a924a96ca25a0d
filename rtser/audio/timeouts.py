"""Calls that may hang, such as calls into the audio system. They run on threads that never keep the program alive.

concurrent.futures does not do: at the program's end it waits for its own threads, so forever for a call that hangs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from typing import TypeVar

from rtser.errors import DeviceError

Result = TypeVar("Result")
ANSWER_S = 10.0
"""Longest wait for the audio system when nothing can go on without it."""


def start_call(call: Callable[[], Result]) -> Future[Result]:
    """Begin a call on a daemon thread of its own."""
    future: Future[Result] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def call_with_timeout(call: Callable[[], Result]) -> Result:
    """The result of a call into the audio system.

    Raises:
        DeviceError: it has not answered in time.
    """
    try:
        return start_call(call).result(ANSWER_S)
    except NotYet:
        raise no_answer() from None


def no_answer() -> DeviceError:
    """The error of an audio system that hangs."""
    return DeviceError(f"the audio system has not answered for {ANSWER_S:.0f} s", "check or restart the sound server")
