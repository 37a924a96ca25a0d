"""Signals that end a command in order, or reopen its logs."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rtser.errors import OutputError

END_S = 1.8
"""Longest time for an orderly end, in seconds."""
SAY_S = 0.2
"""Longest time for the last sentence, in seconds: it may be that nobody reads standard error either."""


class Signals:
    """The requests that the program got as signals, or by a key.

    Args:
        say: prints a sentence on standard error.

    Attributes:
        stop: set when the program should end.
        reopen: set when the program should reopen its log files by their names.
        received: the first signal that asked for the end, if any.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self.stop, self.reopen = threading.Event(), threading.Event()
        self.received: int | None = None
        self._forced = threading.Timer(END_S, _end_now, [say])
        self._forced.daemon = True
        self._started = threading.Lock()  # taken once and for ever: a signal may interrupt whoever asks first

    def quit(self) -> None:
        """End the program: in order if that takes no longer than `END_S`, else by force. Any thread may ask."""
        self.stop.set()
        if self._started.acquire(blocking=False):
            self._forced.start()

    def ended(self) -> None:
        """Note that the program ends in order."""
        self._forced.cancel()


@contextmanager
def signals(say: Callable[[str], None], daemon: bool = False) -> Iterator[Signals]:
    """Make the first SIGINT or SIGTERM end the sound, so that all events are written; a second SIGINT ends at once.

    Yields the requests. After the first signal the program ends within two seconds; if it must be forced, because
    nobody reads its output, the exit code is 6. Otherwise the exit code is 130, except that SIGTERM is the normal end
    of a daemon. `Signals.quit` ends it likewise, with exit code 0. A daemon reopens its log files on SIGHUP.

    Args:
        say: prints a sentence on standard error.
        daemon: whether the program is meant to run until a signal ends it.
    """
    asked = Signals(say)
    had_terminal = sys.stdout.isatty()

    def end(number: int, _frame: object) -> None:
        asked.received = asked.received or number
        signal.signal(signal.SIGINT, signal.default_int_handler)
        asked.quit()

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
        asked.ended()
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)  # None: not set from Python
    if asked.received and not (daemon and asked.received == signal.SIGTERM):
        raise KeyboardInterrupt


def _end_now(say: Callable[[str], None]) -> None:
    """End a program that hangs; restore the terminal as far as possible without waiting."""
    sentence = "ending took too long, because nobody reads the output or the audio system hangs; output may be missing."
    try:
        saying = threading.Thread(target=say, args=[sentence], daemon=True)
        saying.start()
        saying.join(SAY_S)
        if keyboard := sys.modules.get("rtser.ui.keyboard"):
            keyboard.restore_modes()
        if sys.stdout.isatty():
            with suppress(OSError):
                os.set_blocking(sys.stdout.fileno(), False)
                os.write(sys.stdout.fileno(), b"\x1b[?1049l\x1b[?25h")
    finally:
        os._exit(OutputError.exit_code)
