"""How a command begins and ends: one sentence and one exit code for what goes wrong, and signals that end it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import typer

from rtser.errors import InputError, RtserError

INTERRUPTED = 130
END_S = 1.8
"""Longest time that a daemon takes to end in order."""


class Complaints:
    """Where complaints go: to a handle of standard error of our own, or to a listener while there is one.

    PortAudio's start sends descriptor 2 elsewhere for as long as it takes, and it may hang.
    """

    def __init__(self) -> None:
        self.listener: Callable[[str], None] | None = None
        self._handle: int | None = None

    def open(self) -> None:
        """Keep standard error as it is now."""
        if self._handle is None:
            with suppress(OSError):
                self._handle = os.dup(2)

    def write(self, sentence: str) -> None:
        """Say a sentence, as one line whatever stands in it; should that fail, go on."""
        printable = "".join(character if character.isprintable() else repr(character)[1:-1] for character in sentence)
        if self.listener:
            self.listener(printable)
        else:
            with suppress(OSError):
                sys.stderr.flush()
                os.write(2 if self._handle is None else self._handle, f"rtser: {printable}\n".encode(errors="replace"))


complaints = Complaints()
complain = complaints.write


@contextmanager
def failures() -> Iterator[Callable[[RtserError], None]]:
    """End the program with one sentence and the right exit code, whatever goes wrong.

    Yields a function that notes a failure and lets the work go on; the program then ends with the first one's code.
    """
    noted: list[RtserError] = []
    _open_standard_streams()
    complaints.open()

    def note(error: RtserError) -> None:
        noted.append(error)
        complain(str(error))

    try:
        yield note
        sys.stdout.flush()
    except RtserError as error:
        note(error)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        _silence_standard_output()
        complain("standard output was closed; stopped.")
    except OSError as error:
        if not error.filename:
            _silence_standard_output()
        note(InputError(f"{error.filename or 'standard output'}: {error.strerror or error}."))
    if noted:
        raise typer.Exit(noted[0].exit_code)


def _open_standard_streams() -> None:
    """Make output possible where a stream is closed, or its encoding does not know a file's name."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115  # for as long as the program runs
        getattr(sys, name).reconfigure(errors="backslashreplace")


def _silence_standard_output() -> None:
    """Send what is still buffered nowhere, or Python complains when it flushes at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class Signals:
    """What the system has asked of the program.

    Attributes:
        stop: set when it is to end.
        reopen: set when its log files are to be opened again, by their names.
    """

    def __init__(self) -> None:
        self.stop, self.reopen = threading.Event(), threading.Event()
        self.received: int | None = None


@contextmanager
def signals(daemon: bool = False) -> Iterator[Signals]:
    """Let the first SIGINT or SIGTERM end the sound, so that all events are written; a second SIGINT ends at once.

    Yields what is asked. Leaves with exit code 130, but for the SIGTERM of a daemon, whose end that is. A daemon ends
    within two seconds, even where nobody reads its output any more, and opens its log files again on a SIGHUP.
    """
    asked = Signals()
    forced = threading.Timer(END_S, lambda: _end_now(asked))
    forced.daemon = True

    had_terminal = sys.stdout.isatty()

    def end(number: int, _frame: object) -> None:
        first = asked.received is None
        asked.received = asked.received or number
        signal.signal(signal.SIGINT, signal.default_int_handler)
        asked.stop.set()
        if daemon and first:
            forced.start()

    def hang_up(number: int, frame: object) -> None:
        if had_terminal and not sys.stdout.isatty():
            end(number, frame)
        asked.reopen.set()

    handlers: dict[int, Callable[[int, object], None]] = {signal.SIGINT: end, signal.SIGTERM: end}
    if daemon and hasattr(signal, "SIGHUP"):
        handlers[signal.SIGHUP] = hang_up
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield asked
    finally:
        forced.cancel()
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked.received and not (daemon and asked.received == signal.SIGTERM):
        raise KeyboardInterrupt


def _end_now(asked: Signals) -> None:
    """End a daemon that does not come to its end, and leave the terminal usable as far as that goes without waiting."""
    complaints.listener = None
    complain("the end took too long, for nobody reads the output or the audio system hangs; something may be missing.")
    if sys.stdout.isatty():
        with suppress(OSError):
            os.set_blocking(sys.stdout.fileno(), False)
            os.write(sys.stdout.fileno(), b"\x1b[?1049l\x1b[?25h")
    os._exit(0 if asked.received == signal.SIGTERM else INTERRUPTED)
