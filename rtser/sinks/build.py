"""The sinks that `rtser listen` writes to beside the screen, made from its settings."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import NamedTuple

from rtser.events import DecisionEvent, Event, UtteranceEvent
from rtser.settings import OutputSettings
from rtser.sinks import AudioSink, Sink
from rtser.sinks.csv_table import CsvTable
from rtser.sinks.jsonl import JsonLog
from rtser.sinks.log_file import LogFile
from rtser.sinks.mqtt import Mqtt
from rtser.sinks.recorder import Recorder
from rtser.sinks.retrying import RetryingSink
from rtser.sinks.systemd import ServiceManager
from rtser.sinks.wav_file import WavFile


class Outputs(NamedTuple):
    """The sinks of events, and those of sound; one may be in both."""

    sinks: list[Sink]
    audio_sinks: list[AudioSink]


def build_sinks(
    settings: OutputSettings, labels: tuple[str, ...], reopen: threading.Event, notify: Callable[[str], object]
) -> Outputs:
    """The sinks that the settings ask for. If one of them fails later, the run goes on.

    Args:
        settings: what is written where.
        labels: the emotions.
        reopen: set when the logs are to be opened again.
        notify: is told in words when an output fails.

    Raises:
        OutputError: something cannot be written from the start.
    """
    logs: list[RetryingSink] = []
    sinks: list[Sink] = []
    audio_sinks: list[AudioSink] = []
    size = round(settings.log_max_mb * 1e6)
    with ExitStack() as opened:  # closes what is open already where a later one fails
        if settings.jsonl:
            logs.append(RetryingSink(JsonLog(LogFile(settings.jsonl, size, settings.log_keep)), notify=notify))
            opened.callback(logs[-1].close)
        if settings.csv:
            log = LogFile(settings.csv, size, settings.log_keep, CsvTable.header(labels))
            logs.append(RetryingSink(CsvTable(log, labels), DecisionEvent, notify))
            opened.callback(logs[-1].close)
        if settings.record:
            recorder = Recorder(settings.record, round(settings.record_max_mb * 1e6))
            audio_sinks.append(recorder)
            sinks.append(RetryingSink(recorder, UtteranceEvent, notify, retry_s=0))
        if settings.save_audio:
            wav = WavFile(settings.save_audio, notify)
            audio_sinks.append(wav)
            sinks.append(wav)
        if settings.mqtt:
            sinks.append(Mqtt(settings.mqtt, notify))
        opened.pop_all()
    if manager := ServiceManager.of_environment():
        sinks.append(manager)
    return Outputs([ReopenOnRequest(logs, reopen), *logs, *sinks], audio_sinks)


class ReopenOnRequest:
    """Opens logs again before the next event, once asked to (a sink in front of them).

    Args:
        logs: what is opened again.
        asked: set by the caller that asks; cleared here.
    """

    def __init__(self, logs: list[RetryingSink], asked: threading.Event) -> None:
        self._logs, self._asked = logs, asked

    def write(self, _event: Event) -> None:
        """Open the logs again, if asked."""
        if self._asked.is_set():
            self._asked.clear()
            for log in self._logs:
                log.reopen()

    def close(self) -> None:
        """Nothing is held."""
