"""The live view: it shows events as they come, on a separate thread, so that a slow terminal delays no decision."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console

from rtser.controls import Controls
from rtser.errors import OutputError
from rtser.events import EndEvent, Event, StartEvent
from rtser.statistics import Snapshot
from rtser.ui.keyboard import in_foreground
from rtser.ui.keys import Actions, Keys
from rtser.ui.layout import Layout
from rtser.ui.run_summary import RunSummary
from rtser.ui.terminal import Terminal
from rtser.ui.view_state import ViewState

FRAME_S = 0.1
JOIN_S = 0.5


class LiveView:
    """A `Sink` that draws changes ten times a second; the last view of each source and its summary stay visible.

    Args:
        console: a terminal.
        labels: the emotions.
        snapshot: returns the run's figures; called on the view's thread.
        window: length of the decision window in segments.
        controls: the controls of the session: threshold, window and pause.
        actions: what keys can do; None means that no keys are read.
        recorded: where the sound is kept, which the view announces; empty if it is not.
    """

    def __init__(
        self,
        console: Console,
        labels: tuple[str, ...],
        snapshot: Callable[[], Snapshot],
        window: int,
        controls: Controls | None = None,
        actions: Actions | None = None,
        recorded: str = "",
    ) -> None:
        self._console, self._snapshot = console, snapshot
        self._state, self._summary = ViewState(labels, window, recorded), RunSummary(labels)
        self._layout = Layout(self._state)
        self._lock = threading.Lock()
        self._wake, self._done, self._suspend = threading.Event(), threading.Event(), threading.Event()
        self._controls = controls or Controls()
        pressed = None
        if actions:
            pressed = Keys(self._state, self._lock, self._controls, actions, self._forget, self._wake.set).press
        self._terminal = Terminal(console, pressed)
        self._drawing: threading.Thread | None = None
        self._previous: dict[int, Any] = {}
        self._end: EndEvent | None = None
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
            self._summary.take(event)
        if isinstance(event, StartEvent):
            self._end = None
            self._open()
        elif isinstance(event, EndEvent):
            self._end = event
            self.close()

    def close(self) -> None:
        """Restore the terminal, and print the last view and the summary on it."""
        if self._drawing is None:
            return
        self._done.set()
        self._wake.set()
        self._drawing.join(JOIN_S)
        stuck = self._drawing.is_alive()
        self._drawing = None
        for number, before in self._previous.items():
            signal.signal(number, before)
        self._terminal.close()
        if not stuck:
            self._state.statistics = self._snapshot()
            self._take_controls()
            self._print_last()

    def _open(self) -> None:
        self._done.clear()
        self._terminal.open()
        if hasattr(signal, "SIGTSTP"):
            handlers = {signal.SIGTSTP: lambda *_: self._suspend.set(), signal.SIGQUIT: self._quit}
            for number, handler in handlers.items():
                before = signal.signal(number, handler)
                self._previous[number] = signal.SIG_DFL if before is None else before  # None: not set from Python
        self._drawing = threading.Thread(target=self._draw_on, daemon=True)
        self._drawing.start()

    def _draw_on(self) -> None:
        began_s = time.monotonic()
        try:
            while not self._waited():
                if self._suspend.is_set():
                    self._let_suspend()
                warning, statistics = self._terminal.last_warning(), self._snapshot()
                with self._lock:
                    self._state.message = warning or self._state.message
                    self._state.statistics = statistics
                    self._state.uptime_s = time.monotonic() - began_s
                    self._take_controls()
                    rows = self._layout.rows(*self._console.size)
                self._terminal.draw(rows)
        except OSError as error:
            self._failure = error

    def _waited(self) -> bool:
        """Wait for the next frame or a key; return whether the view should end."""
        self._wake.wait(FRAME_S)
        self._wake.clear()
        return self._done.is_set()

    def _take_controls(self) -> None:
        state, controls = self._state, self._controls
        state.threshold, state.window_s = controls.label_threshold, controls.window_s
        state.paused, state.holds = controls.paused, controls.holds

    def _forget(self) -> None:
        self._state.forget()
        self._summary.begin(self._state.begin_s)

    def _quit(self, number: int, _frame: object) -> None:
        """Restore the terminal and end at once, on SIGQUIT."""
        self._terminal.close()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)

    def _let_suspend(self) -> None:
        """Restore the terminal and stop, on Ctrl-Z; continue when the shell says so."""
        self._suspend.clear()
        self._terminal.close()
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(FRAME_S)  # all other threads stop first; this one must not take the terminal again before that
        while not in_foreground():  # continued in the background (bg): the shell has the terminal
            if self._done.wait(FRAME_S):
                return
        if not self._done.is_set():
            self._terminal.open()

    def _print_last(self) -> None:
        width, height = self._console.size
        self._state.page, self._state.paused = "now", False
        summary = self._summary.rows(self._end, self._state.statistics.level_findings) if self._end else []
        rows = self._layout.rows(width, max(2, min(height - 1, 30) - len(summary)))[:-1]  # without the keys
        while rows and not rows[-1].plain.strip():
            del rows[-1]
        for row in rows:
            self._console.print(row, no_wrap=True, overflow="crop")
        for row in summary:
            self._console.print(row)
