"""The console of a command, and the sinks that show the events."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console

    from rtser.commands.microphones import Microphones
    from rtser.remote import RemoteSession
    from rtser.session import Session
    from rtser.sinks import AudioSink, Sink


class Shown(NamedTuple):
    """The sink that shows the events, and what else it needs: other sinks, and sinks of sound."""

    view: Sink
    sinks: Sequence[Sink] = ()
    audio_sinks: Sequence[AudioSink] = ()


def make_console() -> Console:
    """A Rich console that leaves a closed pipe to `rtser.commands.process.failures`."""
    from rich.console import Console

    class OwnConsole(Console):
        def on_broken_pipe(self) -> None:
            """Do nothing; Rich would end the program here, with another exit code."""
            raise BrokenPipeError

    return OwnConsole(highlight=False)


def make_view(
    session: Session | RemoteSession,
    json: bool,
    plain: bool,
    live: bool,
    quit: Callable[[], object],
    keys: bool = True,
    microphones: Microphones | None = None,
    recorded: str = "",
) -> Shown:
    """The sink that shows the events: JSON, the live view, or lines (for `plain`, and where there is no terminal).

    Args:
        session: the session that makes the events.
        json: whether the events are shown as JSON.
        plain: whether to print lines instead of the live view.
        live: whether the sound is paced, so that the label is shown as it changes.
        quit: ends the run; a key calls it, on another thread.
        keys: whether keys may be read, because standard input is not the sound.
        microphones: the microphones that a key can choose from, if any.
        recorded: where the sound is kept; empty if it is not.
    """
    if json:
        from rtser.sinks.jsonl import JsonLines

        return Shown(JsonLines(sys.stdout))
    console, labels = make_console(), session.labels
    if plain or not live or not console.is_terminal or console.is_dumb_terminal:
        from rtser.ui.lines import LineView

        return Shown(LineView(console, labels, session.snapshot, live, recorded))
    from rtser.ui.keyboard import has_keys
    from rtser.ui.live import LiveView

    about = console, labels, session.snapshot, session.window, session.controls
    if not keys or not has_keys():
        return Shown(LiveView(*about, recorded=recorded))
    from rtser.sinks.last_minute import LastMinute
    from rtser.ui.keys import Actions

    last = LastMinute()
    chosen = (microphones.names, microphones.choose) if microphones else (None, None)
    actions = Actions(quit, lambda: last.save_in(Path()), *chosen)
    return Shown(LiveView(*about, actions, recorded), [last], [last])


def is_pipe(out: TextIO) -> bool:
    """Whether another program reads the output: it may print on the same terminal, over the progress."""
    try:
        return stat.S_ISFIFO(os.fstat(out.fileno()).st_mode)
    except OSError:  # it is closed, or not a file
        return False
