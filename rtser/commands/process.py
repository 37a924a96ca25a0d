"""How a command begins and ends: one sentence and one exit code for what goes wrong."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import typer

from rtser.commands.standard_error import StandardError
from rtser.errors import INSTALL, InputError, OutputError, RtserError, UnavailableError

INTERRUPTED = 130
logger = logging.getLogger("rtser")


class Failures:
    """What went wrong so far in a command that went on.

    Args:
        standard_error: where each failure is printed, through the logger.
    """

    def __init__(self, standard_error: StandardError) -> None:
        self._standard_error = standard_error
        self.say = standard_error.say
        self.noted: list[RtserError] = []

    def print_within(self, make_room: Callable[[], AbstractContextManager[None]]) -> None:
        """Print each sentence within this context, which takes what is in its way off the terminal."""
        self._standard_error.make_room = make_room

    def note(self, error: RtserError) -> None:
        """Print a failure, and let the work go on; the program ends with the first one's exit code."""
        self.noted.append(error)
        logger.error("%s", error)


@contextmanager
def failures(interruptible: bool = False) -> Iterator[Failures]:
    """End the program with one sentence and the right exit code, whatever goes wrong.

    Args:
        interruptible: whether an interrupt is a KeyboardInterrupt, so that work in progress can end in order.
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
"""The extra that brings a package, where it is not that of the command."""


@contextmanager
def packages(extra: str) -> Iterator[None]:
    """Say what to install where the packages of an extra are missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        extra = EXTRAS.get(error.name or "", extra)
        how = "pip install matplotlib" if extra == "plot" else INSTALL.format(extra)
        raise UnavailableError(f"this needs the package {error.name}", how) from None


def single_threaded() -> None:
    """Keep numpy to one thread, before it is imported: a live step is too small to share."""
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ.setdefault(f"{library}_NUM_THREADS", "1")


def one_core() -> int | None:
    """Keep this thread, and those that it will start, on one core; its number, or None where the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return core


def _open_standard_streams() -> None:
    """Make output possible where a stream is closed, or its encoding does not know a file's name."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # for as long as the program runs
        getattr(sys, name).reconfigure(errors="backslashreplace")


def _silence_standard_output() -> None:
    """Send what is still buffered nowhere, or Python complains when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
