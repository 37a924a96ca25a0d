"""How a command begins and ends: each failure gives one sentence and one exit code."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import typer

from rtser.commands.standard_error import StandardError
from rtser.errors import INSTALL, InputError, OutputError, RtserError, SettingsError, UnavailableError

INTERRUPTED = 130
logger = logging.getLogger("rtser")


class Failures:
    """The failures so far of a command that continues.

    Args:
        standard_error: the handler that prints each failure, through the logger.
    """

    def __init__(self, standard_error: StandardError) -> None:
        self._standard_error = standard_error
        self.say = standard_error.say
        self.noted: list[RtserError] = []

    def print_within(self, make_room: Callable[[], AbstractContextManager[None]]) -> None:
        """Print each sentence within this context, which clears the terminal's line for it."""
        self._standard_error.make_room = make_room

    def note(self, error: RtserError) -> None:
        """Print a failure and continue; the program ends with the exit code of the first failure."""
        self.noted.append(error)
        for one in error.errors if isinstance(error, SettingsError) else [error]:
            logger.error("%s", one)


@contextmanager
def failures(interruptible: bool = False) -> Iterator[Failures]:
    """End the program with one sentence and the right exit code, whatever goes wrong.

    Args:
        interruptible: whether an interrupt raises KeyboardInterrupt, so that running work can end in order.
    """
    _open_standard_streams()
    if interruptible:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    handler = StandardError()
    logger.addHandler(handler)
    fail = Failures(handler)
    try:
        yield fail
        sys.stdout.flush()
    except RtserError as error:
        fail.note(error)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        _silence_standard_output()
    except OSError as error:
        if error.filename:
            fail.note(InputError(f"{error.filename}: {error.strerror or error}"))
        else:
            _silence_standard_output()
            fail.note(OutputError(f"standard output cannot be written ({error.strerror or error})"))
    finally:
        logger.removeHandler(handler)
        handler.close()
    if fail.noted:
        raise typer.Exit(fail.noted[0].exit_code)


EXTRAS = {
    "audformat": "audformat",
    "opensmile": "baseline",
    "distributed": "dask",
    "parselmouth": "augment",
    "praat-parselmouth": "augment",
    "pyroomacoustics": "augment",
}
"""The extra that installs a package, where it differs from the command's extra."""


@contextmanager
def packages(extra: str) -> Iterator[None]:
    """Say what to install if packages of an extra are missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        extra = EXTRAS.get(package, extra)
        raise UnavailableError(f"this needs the package {package}", INSTALL.format(extra)) from None


def single_threaded() -> None:
    """Limit numpy to one thread; call this before numpy is imported. A live step is too small to share."""
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def sleeping_threads() -> None:
    """Let torch's threads sleep while they wait; call this before torch is imported.

    Otherwise they keep their cores busy, and on a busy machine two threads train several times slower than one.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def one_core() -> int | None:
    """Keep this thread, and the threads it will start, on one core; returns its number, or None if unsupported."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def _open_standard_streams() -> None:
    """Make output possible when a stream is closed, or its encoding lacks characters of a file's name."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # for as long as the program runs
        getattr(sys, name).reconfigure(errors="backslashreplace")


def _silence_standard_output() -> None:
    """Discard what is still buffered; otherwise Python complains when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
