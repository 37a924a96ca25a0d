"""A session whose recognition is done by a server: a source through the network to the sinks."""

from __future__ import annotations

import asyncio
import json
import threading
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from rtser.audio.controlled import controlled
from rtser.audio.source import Chunk, Gap, Source
from rtser.client import Client
from rtser.controls import Controls
from rtser.engine.contract import SAMPLE_RATE, window_segments
from rtser.errors import RtserError, UnavailableError
from rtser.events import DecisionEvent, EndEvent, ErrorEvent, Event
from rtser.level import LevelMeter
from rtser.protocol import PATH
from rtser.reaching import check_package, socket_url, unreachable
from rtser.sinks import AudioSink, Sink
from rtser.statistics import RunStatistics, Snapshot

ANSWER_S = 10.0
MOST_CHUNKS = 32
"""How many chunks of the source may wait for the network. A live source drops older ones by itself."""


class RemoteSession:
    """Sends one source after another to a server (`rtser serve`). Otherwise it is like `rtser.session.Session`.

    Args:
        url: of the server, as for `Client`.
        token: the server's, if it needs one.

    Raises:
        ArgumentError: the address is not valid.
        UnavailableError: the server cannot be reached, or refuses.

    Attributes:
        labels: the emotions of the server's model.
        window: length of its decision window in segments.
        controls: pause, and a new beginning; threshold and window are the server's.
    """

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url, self._token = url, token
        check_package()
        about = _model(url, token)
        self.labels: tuple[str, ...] = tuple(about["labels"])
        self.window = window_segments(about["window_s"])
        self.controls = Controls()
        self._notices: deque[str] = deque()
        self._current: tuple[RunStatistics, Source | None] = RunStatistics(), None

    def snapshot(self) -> Snapshot:
        """The figures of the current run as they are now; may be called from any thread."""
        statistics, source = self._current
        return statistics.snapshot(source.trouble, source.name, source.sample_rate) if source else statistics.snapshot()

    def notify(self, detail: str) -> None:
        """Tell in an `ErrorEvent` that one output of several has failed."""
        self._notices.append(detail)

    def run(self, source: Source, sinks: Sequence[Sink], audio_sinks: Sequence[AudioSink] = ()) -> None:
        """Recognise a source to its end on the server, and hand every event to the sinks.

        Raises:
            RtserError: the source or a sink failed, or the server has refused for good.
        """
        asyncio.run(self._run(source, sinks, audio_sinks))

    async def _run(self, source: Source, sinks: Sequence[Sink], audio_sinks: Sequence[AudioSink]) -> None:
        statistics = RunStatistics(meter=LevelMeter())
        self._current = statistics, source
        self._notices.clear()
        async with Client(self._url, token=self._token, sample_format="f32le", name=source.name) as client:
            loop, chunks = asyncio.get_running_loop(), asyncio.Queue[Chunk | RtserError | None](MOST_CHUNKS)
            reading = threading.Thread(
                target=_read, args=[source, self.controls, chunks, loop], name="source", daemon=True
            )
            reading.start()
            feeding = asyncio.create_task(_feed(client, chunks, statistics, audio_sinks))
            try:
                async for event in client:
                    for one in [*self._failures(client), self._own(event, client, source, statistics)]:
                        for sink in sinks:
                            sink.write(one)
                await feeding
            finally:
                feeding.cancel()
                with suppress(asyncio.CancelledError, RtserError):
                    await feeding

    def _own(self, event: Event, client: Client, source: Source, statistics: RunStatistics) -> Event:
        """An event with the figures of this side of the network."""
        if isinstance(event, DecisionEvent) and (lag_s := source.lag_s()) is not None:
            statistics.note_latency(lag_s + client.time_s - event.time)
        if isinstance(event, EndEvent):
            figures = event.dropped_samples, event.missing_samples, event.step_ms, statistics.latency_ms()
            return EndEvent(event.time, event.decisions, *figures)
        return event

    def _failures(self, client: Client) -> list[ErrorEvent]:
        """Outputs that have failed since the last event."""
        failures = [ErrorEvent(client.time_s, detail) for detail in self._notices]
        self._notices.clear()
        return failures


def _read(
    source: Source,
    controls: Controls,
    chunks: asyncio.Queue[Chunk | RtserError | None],
    loop: asyncio.AbstractEventLoop,
) -> None:
    """Hand the source's chunks to the event loop. A thread runs this, because a silent source may block it."""
    last: RtserError | None = None
    with suppress(RuntimeError):  # the loop has ended
        try:
            for chunk in controlled(source.chunks(), controls):
                asyncio.run_coroutine_threadsafe(chunks.put(chunk), loop).result()
        except RtserError as error:
            last = error
        asyncio.run_coroutine_threadsafe(chunks.put(last), loop).result()


async def _feed(
    client: Client,
    chunks: asyncio.Queue[Chunk | RtserError | None],
    statistics: RunStatistics,
    audio_sinks: Sequence[AudioSink],
) -> None:
    """Send the source's sound to its end. Whatever happens to the source, the stream ends in order."""
    try:
        while (chunk := await chunks.get()) is not None:
            if isinstance(chunk, RtserError):
                raise chunk
            if isinstance(chunk, Gap):
                statistics.note_gap(chunk.state == "skipped", chunk.missing_samples)
                await client.broken(chunk)
                continue
            for audio_sink in audio_sinks:
                audio_sink.write_audio(chunk, round(client.time_s * SAMPLE_RATE))
            statistics.note_level(chunk)
            await client.send(chunk)
    finally:
        await client.finish()


def _model(url: str, token: str | None) -> dict[str, Any]:
    """What the server says of its model."""
    request = urllib.request.Request(socket_url(url).removesuffix(PATH).replace("ws", "http", 1) + "/v1/models")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as answer:
            return dict(json.load(answer)[0])
    except urllib.error.HTTPError as error:
        advice = "give its token" if error.code == 401 else ""
        raise UnavailableError(f"{url} refuses (HTTP status {error.code})", advice) from None
    except (OSError, ValueError, LookupError, HTTPException) as error:
        raise unreachable(url, getattr(error, "reason", error)) from None
