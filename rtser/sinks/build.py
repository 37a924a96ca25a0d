"""What `rtser listen` writes beside the screen: logs and sound, none of whose failures end it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator

from rtser.audio.source import Break, Piece
from rtser.errors import InputError
from rtser.events import Decided, Event, Spoken
from rtser.settings import OutputSettings
from rtser.sinks import Sink
from rtser.sinks.csv import CsvTable
from rtser.sinks.jsonl import JsonLog
from rtser.sinks.log_file import LogFile
from rtser.sinks.recorder import Recorder
from rtser.sinks.retrying import Enduring
from rtser.sinks.systemd import ServiceManager
from rtser.sinks.wav import WavFile

Tap = Callable[[Piece], None]
Warn = Callable[[str], None]


def daemon_sinks(
    settings: OutputSettings, labels: tuple[str, ...], warn: Warn, reopen: threading.Event
) -> tuple[list[Sink], list[Tap]]:
    """The sinks that take a daemon's events, and the taps that take its sound.

    Args:
        settings: what is written where.
        labels: the emotions.
        warn: takes a sentence when something can no longer be written.
        reopen: set when the logs are to be opened again.

    Raises:
        InputError: something cannot be written from the start.
    """
    logs: list[Enduring] = []
    sinks: list[Sink] = []
    taps: list[Tap] = []
    size = round(settings.log_max_mb * 1e6)
    if settings.jsonl:
        logs.append(Enduring(JsonLog(LogFile(settings.jsonl, size, settings.log_keep)), warn))
    if settings.csv:
        log = LogFile(settings.csv, size, settings.log_keep, CsvTable.header(labels))
        logs.append(Enduring(CsvTable(log, labels), warn, Decided))
    if settings.record:
        recorder = Recorder(settings.record, round(settings.record_max_mb * 1e6))
        taps.append(recorder.hear)
        sinks.append(Enduring(recorder, warn, Spoken, retry_s=0))
    if settings.save_audio:
        saved = SavedAudio(WavFile(settings.save_audio), warn)
        taps.append(saved.hear)
        sinks.append(saved)
    if manager := ServiceManager.of_environment():
        sinks.append(manager)
    return [Reopened(logs, reopen), *logs, *sinks], taps


def heard(pieces: Iterable[Piece], taps: list[Tap]) -> Iterator[Piece]:
    """Pass pieces on, through each tap first."""
    for piece in pieces:
        for tap in taps:
            tap(piece)
        yield piece


class Reopened:
    """Opens logs again before the next event, once told to (a sink that stands before them)."""

    def __init__(self, logs: list[Enduring], asked: threading.Event) -> None:
        self._logs, self._asked = logs, asked

    def write(self, _event: Event) -> None:
        """Open the logs again, if asked."""
        if self._asked.is_set():
            self._asked.clear()
            for log in self._logs:
                log.reopen()

    def close(self) -> None:
        """Nothing is held."""


class SavedAudio:
    """Writes everything heard to a WAV file; where that fails it warns, and leaves it at that."""

    def __init__(self, file: WavFile, warn: Warn) -> None:
        self._file: WavFile | None = file
        self._warn = warn

    def hear(self, piece: Piece) -> None:
        """Write a block (n,); a break leaves no trace."""
        if self._file is not None and not isinstance(piece, Break):
            try:
                self._file.hear(piece)
            except InputError as error:
                self._warn(f"{error} Recognition goes on without it.")
                self.close()

    def write(self, _event: Event) -> None:
        """Events are not written."""

    def close(self) -> None:
        """Complete the file."""
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except InputError as error:
                self._warn(str(error))
