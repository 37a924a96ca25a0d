"""The live view: shows events as they come, on a thread of its own so that a slow terminal delays no decision."""

from __future__ import annotations

import os
import signal
import threading
import time

from rich.console import Console

from rtser.errors import InputError
from rtser.events import End, Event, Start
from rtser.statistics import Vitals
from rtser.ui.layout import Picture
from rtser.ui.terminal import Screen, in_foreground
from rtser.ui.view_state import Scene

FRAME_S = 0.1
JOIN_S = 0.5


class LiveView:
    """Draws ten times a second what has changed; the last picture of each source stays on the terminal.

    Args:
        console: a terminal.
        labels: the emotions.
        vitals: the run's figures.
        window: over how many segments is decided.
    """

    def __init__(self, console: Console, labels: tuple[str, ...], vitals: Vitals, window: int) -> None:
        self._console = console
        self._scene = Scene(labels, vitals, window)
        self._picture = Picture(self._scene)
        self._screen = Screen(console)
        self._lock = threading.Lock()
        self._drawing: threading.Thread | None = None
        self._done = threading.Event()
        self._suspend = threading.Event()
        self._failure: OSError | None = None

    def write(self, event: Event) -> None:
        """Take an event in.

        Raises:
            InputError: the terminal has gone.
        """
        if self._failure:
            raise InputError(f"the terminal has gone ({self._failure.strerror}); stopped.")
        with self._lock:
            self._scene.take(event)
        if isinstance(event, Start):
            self._open()
        elif isinstance(event, End):
            self.close()

    def close(self) -> None:
        """Give the terminal back, and leave the last picture on it."""
        if self._drawing is None:
            return
        self._done.set()
        self._drawing.join(JOIN_S)
        stuck = self._drawing.is_alive()
        self._drawing = None
        if hasattr(signal, "SIGTSTP"):
            signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        self._screen.close()
        if not stuck:
            self._print_last()

    def _open(self) -> None:
        self._done.clear()
        self._screen.open()
        if hasattr(signal, "SIGTSTP"):
            signal.signal(signal.SIGTSTP, lambda *_: self._suspend.set())
        self._drawing = threading.Thread(target=self._draw_on, daemon=True)
        self._drawing.start()

    def _draw_on(self) -> None:
        began_s = time.monotonic()
        try:
            while not self._done.wait(FRAME_S):
                if self._suspend.is_set():
                    self._let_suspend()
                said = self._screen.heard()
                with self._lock:
                    self._scene.message = said or self._scene.message
                    self._scene.uptime_s = time.monotonic() - began_s
                    picture = self._picture.rows(*self._console.size)
                self._screen.draw(picture)
        except OSError as error:
            self._failure = error

    def _let_suspend(self) -> None:
        """Stop as the user asked (Ctrl-Z), with the terminal given back; go on when told to."""
        self._suspend.clear()
        self._screen.close()
        os.kill(os.getpid(), signal.SIGSTOP)
        time.sleep(FRAME_S)  # the other threads stop first; this one must not take the terminal back before it stops
        while not in_foreground():  # told to go on in the background (bg): the terminal is the shell's
            if self._done.wait(FRAME_S):
                return
        self._screen.open()

    def _print_last(self) -> None:
        width, height = self._console.size
        picture = self._picture.rows(width, min(height - 1, 30))
        while len(picture) > 1 and not picture[-2].plain.strip():
            del picture[-2]
        for row in picture:
            self._console.print(row, no_wrap=True, overflow="crop")
