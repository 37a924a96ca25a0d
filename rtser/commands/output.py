"""What a command prints on: the console, and the sink that shows the events."""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console

    from rtser.remote import RemoteSession
    from rtser.session import Session
    from rtser.sinks import Sink


def make_console() -> Console:
    """A Rich console that leaves a closed pipe to `rtser.commands.process.failures`."""
    from rich.console import Console

    class OwnConsole(Console):
        def on_broken_pipe(self) -> None:
            """Rich would end the program here, with another code."""
            raise BrokenPipeError

    return OwnConsole(highlight=False)


def make_view(session: Session | RemoteSession, json: bool, live: bool) -> Sink:
    """What shows the events: JSON, the live view, or lines where output is no terminal or no view is wanted."""
    if json:
        from rtser.sinks.jsonl import JsonLines

        return JsonLines(sys.stdout)
    console, labels = make_console(), session.labels
    if live and console.is_terminal and not console.is_dumb_terminal:
        from rtser.ui.live import LiveView

        return LiveView(console, labels, session.snapshot, session.window)
    from rtser.ui.lines import LineView

    return LineView(console, labels)


def is_pipe(out: TextIO) -> bool:
    """Whether another program reads what is printed: it may print on the same terminal, over the progress."""
    try:
        return stat.S_ISFIFO(os.fstat(out.fileno()).st_mode)
    except OSError:  # closed, or no file at all
        return False
