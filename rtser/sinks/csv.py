"""Decisions as a CSV table."""

from __future__ import annotations

import csv
from pathlib import Path

from rtser.errors import InputError
from rtser.events import Decided, Event, Start


class CsvTable:
    """One row a decision: source, time, label, confidence, speech, salience, then each emotion's probability.

    Args:
        path: the file, overwritten.
        labels: the emotions, in order.

    Raises:
        InputError: the file cannot be written.
    """

    def __init__(self, path: Path, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self._source = ""
        try:
            self._file = path.open("w", newline="", encoding="utf-8", errors="surrogateescape")
        except OSError as error:
            raise _unwritable(path, error) from None
        self._path = path
        self._writer = csv.writer(self._file)
        self._row(["source", "time", "label", "confidence", "speech", "salience", *labels])

    def write(self, event: Event) -> None:
        """Write a row for a decision; other events write none."""
        if isinstance(event, Start):
            self._source = event.source
        if isinstance(event, Decided):
            emotions = event.emotions or dict.fromkeys(self._labels)
            self._row(
                [self._source, event.time, event.label, event.confidence, event.speech, event.salience]
                + [emotions[label] for label in self._labels]
            )

    def close(self) -> None:
        """Write what is still buffered."""
        try:
            self._file.close()
        except OSError as error:
            raise _unwritable(self._path, error) from None

    def _row(self, values: list[object]) -> None:
        try:
            self._writer.writerow(values)
        except OSError as error:
            raise _unwritable(self._path, error) from None


def _unwritable(path: Path, error: OSError) -> InputError:
    return InputError(f"{path} cannot be written ({error.strerror}); name another file with --csv.")
