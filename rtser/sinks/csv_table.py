"""Decisions as a CSV table."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from pathlib import Path

from rtser.errors import OutputError
from rtser.events import DecisionEvent, Event, StartEvent, utc_now
from rtser.sinks import Sink
from rtser.sinks.log_file import LogFile


class CsvTable:
    """One row for each decision: run, wall clock, source, the decision, then each emotion's probability.

    Args:
        log: the file; its header is `header`.
        labels: the emotions, in order.
    """

    def __init__(self, log: LogFile, labels: tuple[str, ...]) -> None:
        self._log, self._labels = log, labels
        self._source = self._run = ""
        self.close = log.close

    @staticmethod
    def header(labels: tuple[str, ...]) -> str:
        """The table's first line."""
        said = ["label", "confidence", "leaning", "leaning_confidence", "speaking", "speech", "salience"]
        return _row(["run", "utc", "source", "time", *said, *labels])

    def write(self, event: Event) -> None:
        """Write a row for a decision; other events write none."""
        if isinstance(event, StartEvent):
            self._source, self._run = event.source, event.run
        if isinstance(event, DecisionEvent):
            emotions = event.emotions or dict.fromkeys(self._labels)
            leaning = (event.leaning.label, event.leaning.confidence) if event.leaning else (None, None)
            said = event.label, event.confidence, *leaning, event.speaking, event.speech, event.salience
            where = self._run, utc_now(), self._source, event.time
            self._log.write(_row([*where, *said, *(emotions[label] for label in self._labels)]))


def _row(values: Iterable[object]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()


class _Deferred:
    """A sink that is made at the first event."""

    def __init__(self, make: Callable[[], CsvTable]) -> None:
        self._make = make
        self._sink: CsvTable | None = None

    def write(self, event: Event) -> None:
        self._sink = self._sink or self._make()
        self._sink.write(event)

    def close(self) -> None:
        if self._sink:
            self._sink.close()


def new_table(path: Path, labels: tuple[str, ...]) -> Sink:
    """A table that replaces the file's content at the first event; a run without events leaves the file unchanged.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        path.open("ab").close()
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror})") from None
    return _Deferred(lambda: CsvTable(LogFile(path, header=CsvTable.header(labels), append=False), labels))
