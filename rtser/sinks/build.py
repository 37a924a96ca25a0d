"""The sinks of `rtser listen` besides the screen, made from its settings."""

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
    """The sinks of events, and the sinks of sound; a sink may be in both."""

    sinks: list[Sink]
    audio_sinks: list[AudioSink]


def build_sinks(
    settings: OutputSettings, labels: tuple[str, ...], reopen: threading.Event, notify: Callable[[str], object]
) -> Outputs:
    """The sinks that the settings ask for. If one of them fails later, the run goes on.

    Args:
        settings: the outputs.
        labels: the emotions.
        reopen: set when the logs should be reopened.
        notify: called with a sentence when an output fails.

    Raises:
        OutputError: something cannot be written from the start.
    """
    logs: list[RetryingSink] = []
    sinks: list[Sink] = []
    audio_sinks: list[AudioSink] = []
    size = round(settings.log_max_mb * 1e6)
    with ExitStack() as opened:  # closes the open sinks if a later one fails
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
    """A sink before the logs, which reopens them before the next event if this was requested.

    Args:
        logs: the logs to reopen.
        asked: the caller sets it as a request; it is cleared here.
    """

    def __init__(self, logs: list[RetryingSink], asked: threading.Event) -> None:
        self._logs, self._asked = logs, asked

    def write(self, _event: Event) -> None:
        """Reopen the logs, if requested."""
        if self._asked.is_set():
            self._asked.clear()
            for log in self._logs:
                log.reopen()

    def close(self) -> None:
        """Do nothing; the sink holds nothing back."""
