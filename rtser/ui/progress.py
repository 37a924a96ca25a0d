"""The progress of work on recordings: one line on a terminal, which makes room for other output."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import accumulate
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from rtser.engine.contract import SAMPLE_RATE, Float32
from rtser.events import Event

NAME_CELLS = 30


class Printing(Protocol):
    """A sink that prints. The import rules do not allow `rtser.sinks` here."""

    def write(self, event: Event) -> None: ...  # noqa: D102

    def close(self) -> None: ...  # noqa: D102


class RecordingsProgress:
    """Shows the share of the recordings that is done, and the time left (a `rtser.sinks.AudioSink`).

    Args:
        console: shows the progress if it is a terminal; use standard error, so that results can be piped.
        weights: the work for each recording in any unit, such as bytes.
        done: number of recordings that were done before.
        shown: False shows nothing.
    """

    def __init__(self, console: Console, weights: Sequence[float], done: int = 0, shown: bool = True) -> None:
        self._before = [0.0, *accumulate(max(one, 1e-9) for one in weights)]
        self._ended, self._share, self._seconds = done, 0.0, 0.0
        self._lock = threading.RLock()
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("left"),
        )
        hidden = not shown or not console.is_terminal or console.is_dumb_terminal
        self._bar = Progress(
            *columns,
            console=console,
            transient=True,
            disable=hidden,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._bar.add_task(self._description(""), total=self._before[-1])
        self._move()

    def __enter__(self) -> RecordingsProgress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Remove the line from the terminal while something else is printed."""
        with self._lock:
            if self._bar.disable or not self._bar.live.is_started:
                yield
                return
            self._bar.stop()
            try:
                yield
            finally:
                self._bar.start()

    def begin(self, name: str, seconds: float | None) -> None:
        """Note that a recording begins, and its length in seconds, if that is known."""
        self._seconds, self._share = seconds or 0.0, 0.0
        self._bar.update(self._task, description=self._description(name))

    def write_audio(self, samples: Float32, start: int) -> None:
        """Note that a block (n,) is done."""
        if self._seconds:
            share = min(1.0, (start + len(samples)) / SAMPLE_RATE / self._seconds)
            if share - self._share >= 0.002:
                self._share = share
                self._move()

    def ended(self) -> None:
        """Note that a recording is done."""
        self._ended, self._share = self._ended + 1, 0.0
        self._bar.update(self._task, description=self._description(""))
        self._move()

    def _move(self) -> None:
        """Show the sum of the finished recordings and the finished share of the present one."""
        here, after = self._before[self._ended], self._before[min(self._ended + 1, len(self._before) - 1)]
        self._bar.update(self._task, completed=here + self._share * (after - here))

    def _description(self, name: str) -> str:
        total = len(self._before) - 1
        count = f"{self._ended} of {total} recordings" if total > 1 else ""
        short = Text(name.rpartition("/")[2])
        short.truncate(NAME_CELLS, overflow="ellipsis")
        return " ".join(filter(None, [count, escape(short.plain)]))


class MakingRoom:
    """A sink that prints on the terminal that shows the progress (a `rtser.sinks.Sink`).

    Args:
        sink: the sink that prints.
        progress: removed from the terminal while the sink prints.
    """

    def __init__(self, sink: Printing, progress: RecordingsProgress) -> None:
        self._sink, self._progress = sink, progress
        self.kinds = getattr(sink, "kinds", Event)
        self.close = sink.close

    def write(self, event: Event) -> None:
        """Pass on an event that the sink reads."""
        if isinstance(event, self.kinds):
            with self._progress.aside():
                self._sink.write(event)
