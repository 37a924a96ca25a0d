"""Progress of a training run on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


class ProgressReporter:
    """Lines for the log, and on a terminal a bar for each long job.

    Args:
        prefix: begins every line; without a prefix, bars are shown on a terminal.
        quiet: report nothing.
    """

    def __init__(self, prefix: str = "", quiet: bool = False) -> None:
        self._console, self._prefix = Console(highlight=False, stderr=True, quiet=quiet), prefix
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self._console,
            disable=bool(prefix) or not self._console.is_terminal,
        )

    def line(self, text: str) -> None:
        """Print a line above the bars."""
        self._console.print(f"{self._prefix}{text}", soft_wrap=True, markup=False)

    @contextmanager
    def job(self, name: str, total: int, done: int = 0) -> Iterator[Job]:
        """A job of `total` steps, of which `done` are finished."""
        with self._progress:
            task = self._progress.add_task(name, total=total, completed=done)
            yield Job(self, name, lambda: self._progress.advance(task))
            self._progress.remove_task(task)


class Job:
    """One job of a `ProgressReporter`."""

    def __init__(self, reporter: ProgressReporter, name: str, advance: Callable[[], None]) -> None:
        self._reporter, self._name, self._advance = reporter, name, advance

    def step(self, text: str = "") -> None:
        """Note that one step is done; a text goes to the log."""
        self._advance()
        if text:
            self._reporter.line(f"{self._name}: {text}")
