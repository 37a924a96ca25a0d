"""The live view: shows events as they come, on a thread of its own so that a slow terminal delays no decision."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console

from rtser.errors import OutputError
from rtser.events import EndEvent, Event, StartEvent
from rtser.statistics import Snapshot
from rtser.ui.layout import Layout
from rtser.ui.terminal import Terminal, in_foreground
from rtser.ui.view_state import ViewState

FRAME_S = 0.1
JOIN_S = 0.5


class LiveView:
    """Draws ten times a second what has changed; the last view of each source stays on the terminal (a `Sink`).

    Args:
        console: a terminal.
        labels: the emotions.
        snapshot: gives the run's figures; called on the view's thread.
        window: length of the decision window in segments.
    """

    def __init__(
        self, console: Console, labels: tuple[str, ...], snapshot: Callable[[], Snapshot], window: int
    ) -> None:
        self._console, self._snapshot = console, snapshot
        self._state = ViewState(labels, window)
        self._layout = Layout(self._state)
        self._terminal = Terminal(console)
        self._lock = threading.Lock()
        self._drawing: threading.Thread | None = None
        self._done = threading.Event()
        self._suspend = threading.Event()
        self._previous_suspend: Any = None
        self._failure: OSError | None = None

    def write(self, event: Event) -> None:
        """Take an event.

        Raises:
            OutputError: the terminal is gone.
        """
        if self._failure:
            raise OutputError(f"the terminal is gone ({self._failure.strerror})")
        with self._lock:
            self._state.take(event)
        if isinstance(event, StartEvent):
            self._open()
        elif isinstance(event, EndEvent):
            self.close()

    def close(self) -> None:
        """Give the terminal back, and leave the last view on it."""
        if self._drawing is None:
            return
        self._done.set()
        self._drawing.join(JOIN_S)
        stuck = self._drawing.is_alive()
        self._drawing = None
        if hasattr(signal, "SIGTSTP"):
            signal.signal(signal.SIGTSTP, self._previous_suspend)
        self._terminal.close()
        if not stuck:
            self._state.statistics = self._snapshot()
            self._print_last()

    def _open(self) -> None:
        self._done.clear()
        self._terminal.open()
        if hasattr(signal, "SIGTSTP"):
            before = signal.signal(signal.SIGTSTP, lambda *_: self._suspend.set())
            self._previous_suspend = signal.SIG_DFL if before is None else before  # None: not set from Python
        self._drawing = threading.Thread(target=self._draw_on, daemon=True)
        self._drawing.start()

    def _draw_on(self) -> None:
        began_s = time.monotonic()
        try:
            while not self._done.wait(FRAME_S):
                if self._suspend.is_set():
                    self._let_suspend()
                warning, statistics = self._terminal.last_warning(), self._snapshot()
                with self._lock:
                    self._state.message = warning or self._state.message
                    self._state.statistics = statistics
                    self._state.uptime_s = time.monotonic() - began_s
                    rows = self._layout.rows(*self._console.size)
                self._terminal.draw(rows)
        except OSError as error:
            self._failure = error

    def _let_suspend(self) -> None:
        """Stop as the user asked (Ctrl-Z), with the terminal given back; go on when told to."""
        self._suspend.clear()
        self._terminal.close()
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(FRAME_S)  # the other threads stop first; this one must not take the terminal back before it stops
        while not in_foreground():  # told to go on in the background (bg): the terminal is the shell's
            if self._done.wait(FRAME_S):
                return
        if not self._done.is_set():
            self._terminal.open()

    def _print_last(self) -> None:
        width, height = self._console.size
        rows = self._layout.rows(width, min(height - 1, 30))
        while len(rows) > 1 and not rows[-2].plain.strip():
            del rows[-2]
        for row in rows:
            self._console.print(row, no_wrap=True, overflow="crop")
