"""The terminal of the live view: alternate screen, no echo of keys, and standard error held back."""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress

from rich.console import Console
from rich.live import Live
from rich.text import Text

from rtser.ui.keyboard import Keyboard

LINES_KEPT = 20
"""Number of the last lines from C libraries that are kept."""
logger = logging.getLogger("rtser")


class _Held(logging.Handler):
    """Replaces the logger's handlers, and keeps messages, while the view covers standard error."""

    def __init__(self) -> None:
        super().__init__()
        self.last = ""
        self._records: list[logging.LogRecord] = []
        self._handlers: list[logging.Handler] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.last = record.getMessage()
        self._records.append(record)

    def hold(self) -> None:
        """Silence the logger's handlers."""
        self._handlers = list(logger.handlers)
        for handler in self._handlers:
            handler.addFilter(_nothing)
        logger.addHandler(self)

    def release(self) -> None:
        """Let the handlers print the kept messages, and restore the handlers."""
        logger.removeHandler(self)
        handlers, self._handlers = self._handlers, []
        records, self._records = self._records, []
        for handler in handlers:
            handler.removeFilter(_nothing)
            for record in records:
                handler.handle(record)


def _nothing(_record: logging.LogRecord) -> bool:
    return False


class Terminal:
    """Takes the terminal on `open`, and restores it on `close`, or at the latest when the program ends.

    Several threads may call it; one waits for another, so after `close` the terminal is restored.

    Args:
        console: a terminal.
        pressed: called with each typed key (`Keyboard`); None: keys are not read.
    """

    def __init__(self, console: Console, pressed: Callable[[str], None] | None = None) -> None:
        self._console, self._keyboard = console, Keyboard(pressed)
        self._live: Live | None = None
        self._rows: list[Text] = []
        self._size = (0, 0)
        self._stderr: tuple[int, int] | None = None
        self._printed: deque[str] = deque(maxlen=LINES_KEPT)
        self._rest = b""
        self._log = _Held()
        self._lock = threading.RLock()  # a signal's handler may close while its thread closes or opens

    def open(self) -> None:
        """Take the terminal. Log messages are kept until `close`, because they would damage the view."""
        with self._lock:
            if self._live is not None:
                return
            atexit.register(self.close)
            self._keyboard.open()
            self._log.hold()
            self._hold_stderr()
            console = self._console
            self._live = Live(
                Text(), console=console, screen=True, auto_refresh=False, redirect_stdout=False, redirect_stderr=False
            )
            self._live.start()
            self._rows = []

    def close(self) -> None:
        """Restore the terminal; then print the kept log messages, and the last lines from C libraries.

        May be called twice.
        """
        with self._lock:
            atexit.unregister(self.close)
            if self._live is None:
                return
            live, self._live = self._live, None
            self._keyboard.close()  # first, because a terminal whose output is stopped (Ctrl-S) takes no more
            self._release_stderr()
            with suppress(OSError):  # the terminal may be gone
                live.stop()
            self._log.release()
            with suppress(OSError):
                for line in tuple(self._printed):
                    os.write(2, f"{line}\n".encode())
            self._printed.clear()

    def draw(self, rows: list[Text]) -> None:
        """Draw the rows that differ from the last drawing."""
        size = self._console.size
        if size != self._size:
            self._size, self._rows = (size.width, size.height), []
        options = self._console.options.update(width=size.width, no_wrap=True, overflow="crop", height=None)
        for y, row in enumerate(rows):
            if y >= len(self._rows) or row != self._rows[y]:
                self._console.update_screen_lines(self._console.render_lines(row, options)[:1], y=y)
        self._rows = rows

    def last_warning(self) -> str:
        """The last log message since `open`; the output of C libraries is kept for the end."""
        with self._lock, suppress(BlockingIOError):
            while self._stderr and (chunk := os.read(self._stderr[1], 65536)):
                *lines, self._rest = (self._rest + chunk[-65536:]).split(b"\n")
                self._printed.extend(text for line in lines if (text := line.decode(errors="replace").strip()))
        return self._log.last

    def _hold_stderr(self) -> None:
        """Redirect standard error, also that of C libraries, into a pipe: it would damage the view."""
        with suppress(OSError, AttributeError):
            sys.stderr.flush()
            kept = os.dup(2)
            reading, writing = os.pipe()
            os.set_blocking(reading, False)
            os.set_blocking(writing, False)  # no writer may wait for the view
            os.dup2(writing, 2)
            os.close(writing)
            self._stderr = kept, reading

    def _release_stderr(self) -> None:
        """Restore standard error."""
        if self._stderr is None:
            return
        self.last_warning()
        kept, reading = self._stderr
        self._stderr = None
        os.dup2(kept, 2)
        os.close(kept)
        os.close(reading)
