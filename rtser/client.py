"""A live stream on a server (`rtser serve`), for programs with an event loop: sound in, typed events out.

>>> import asyncio, rtser.client
>>> async def main() -> None:
...     async with rtser.client.Client("ws://127.0.0.1:8765", sample_rate=8_000) as client:
...         await client.send(b"...")  # as it is spoken; take events meanwhile, in another task
...         await client.finish()
...         async for event in client:
...             print(event.type)
>>> asyncio.run(main())  # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Literal

import numpy as np

from rtser.audio.pcm import FULL_SCALE, FrameJoiner, Sound, check_format
from rtser.audio.source import Gap
from rtser.engine.contract import SAMPLE_RATE
from rtser.errors import ArgumentError, UnavailableError
from rtser.events import DecisionEvent, EndEvent, ErrorEvent, Event, SourceEvent, StartEvent, event_from
from rtser.protocol import MOST_NAME, SUBPROTOCOL
from rtser.reaching import RefusedError as RefusedError
from rtser.reaching import check_package, refused, socket_url, unreachable

GONE = "the server was gone when the sound ended"
FINALIZE = '{"type":"finalize"}'
MOST_WAITING = 1_000
"""How many events may wait to be taken. With more, the client stops reading from the server."""
MESSAGE_SAMPLES = 8_192
"""Longest message of sound."""
FOR_GOOD = (400, 401, 403, 404)
"""Refusals for which trying again is useless."""
RETRY_CODES = (1000, 1001, 1005, 1006, 1008, 1011, 1012, 1013)
"""Close codes after which the client tries again. After others, such as for a wrong message, it does not."""
ALIVE_S = 5.0
"""After so long without sound, an empty message tells the server that the client is still there."""


class Client:
    """One stream of sound, recognised by a server. A connection that is lost is opened again.

    While the connection is lost, sound that you send is lost too, and so is sound that the server had not answered
    yet. A `SourceEvent` says that the server is gone, and another one that it is back and how much is missing. Time
    goes on. `StartEvent` comes once, `EndEvent` after `finish`. Take the events while you send: with 1,000 events
    waiting, the client stops reading from the server.

    Args:
        url: ws://HOST:PORT or wss://HOST:PORT (http and https mean the same).
        token: the server's, if it needs one.
        sample_rate: of the sound, 8,000 to 48,000 Hz.
        sample_format: how samples are sent. s16le needs half the bandwidth; floats are rounded to it.
        events: ``decisions`` for all events, ``utterances`` to leave out the decisions.
        name: the source in the start event.
        retry_min_s: pause before a lost connection is opened again; it doubles with each failure.
        retry_max_s: longest such pause.

    Raises:
        ArgumentError: an argument is of the wrong type or out of range.
        UnavailableError: on entering: the server cannot be reached, or refuses, or websockets is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        sample_rate: int = SAMPLE_RATE,
        sample_format: Literal["s16le", "f32le"] = "s16le",
        events: Literal["decisions", "utterances"] = "decisions",
        name: str = "stream",
        retry_min_s: float = 0.5,
        retry_max_s: float = 10.0,
    ) -> None:
        check_format(sample_rate, 1, None)
        self._url, self._rate = socket_url(url), sample_rate
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        said = {"format": sample_format, "rate": sample_rate, "events": events, "name": name[:MOST_NAME]}
        self._start: dict[str, Any] = {"type": "start", **said}
        self._retry_s = retry_min_s, retry_max_s
        self._floats = sample_format == "f32le"
        self._joiner = FrameJoiner(1)
        self._events: asyncio.Queue[Event | None] = asyncio.Queue(MOST_WAITING)
        self._gaps: deque[Gap] = deque()
        self._socket: Any = None
        self._position = self._answered = self._all_missing = self._decisions = self._dropped = 0
        self._decided_now = 0  # in this connection
        self._sent_s = 0.0
        self._started: StartEvent | None = None
        self._finishing = asyncio.Event()
        self._failure: UnavailableError | None = None

    @property
    def time_s(self) -> float:
        """How much sound was sent or lost so far, in seconds."""
        return self._position / self._rate

    async def __aenter__(self) -> Client:
        await self._connect()
        self._task = asyncio.create_task(self._receive())
        self._breath = asyncio.create_task(self._keep_alive())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (self._task, self._breath):
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        if self._socket is not None:
            await self._socket.close()

    async def send(self, sound: Sound) -> None:
        """Send sound. This waits while the server is slower than the sound.

        Args:
            sound: PCM bytes (16 bit, little-endian), cut anywhere, or an array of int16 or float.

        Raises:
            ArgumentError: it is not sound, or the stream is finished.
            UnavailableError: the server has refused for good.
        """
        if self._finishing.is_set():
            raise ArgumentError("the stream is finished", "open another one")
        frames = self._joiner.join(sound)
        pcm = frames if self._floats else (frames * FULL_SCALE).round().clip(-FULL_SCALE, FULL_SCALE - 1).astype("<i2")
        for at in range(0, len(pcm), MESSAGE_SAMPLES):
            part = pcm[at : at + MESSAGE_SAMPLES]
            self._position += len(part)
            await self._say(np.ascontiguousarray(part).tobytes())

    async def broken(self, gap: Gap) -> None:
        """Begin anew: the sound that follows does not continue the sound before."""
        self._joiner = self._joiner.anew()
        at_s = self.time_s
        self._position += gap.missing_samples * self._rate // SAMPLE_RATE
        self._gaps.append(gap)
        said = {"type": "reset", "missing_s": gap.missing_samples / SAMPLE_RATE}
        if not await self._say(json.dumps(said)) and gap in self._gaps:
            self._gaps.remove(gap)
            self._note(gap)
            time_s = self.time_s if gap.state == "open" else at_s
            await self._events.put(SourceEvent(time_s, gap.state, gap.detail, gap.missing_samples))

    async def finish(self) -> None:
        """End the sound. The last events follow."""
        self._finishing.set()
        await self._say(FINALIZE)  # where there is no connection, `_receive` ends the stream

    async def __aiter__(self) -> AsyncIterator[Event]:
        """The events, oldest first, up to `EndEvent`.

        Raises:
            UnavailableError: the server has refused for good, or was gone when the sound ended; after the last event.
        """
        while (event := await self._events.get()) is not None:
            yield event
        if self._failure:
            raise self._failure

    async def _say(self, message: str | bytes) -> bool:
        """Send a message; False if there is no connection now."""
        from websockets.exceptions import ConnectionClosed

        if self._failure:
            raise self._failure
        if self._socket is None:
            return False
        self._sent_s = asyncio.get_running_loop().time()
        try:
            await self._socket.send(message)
        except ConnectionClosed:
            return False
        return True

    async def _connect(self) -> None:
        """Open a connection and begin a stream."""
        check_package()
        from websockets.asyncio.client import connect
        from websockets.exceptions import InvalidStatus, WebSocketException
        from websockets.typing import Subprotocol

        try:
            socket = await connect(
                self._url, additional_headers=self._headers, subprotocols=[Subprotocol(SUBPROTOCOL)], compression=None
            )
            await socket.send(json.dumps(self._start | {"time": self.time_s}))
        except InvalidStatus as error:
            raise refused(self._url, error.response.status_code, error.response.body) from None
        except (OSError, TimeoutError, WebSocketException) as error:
            raise unreachable(self._url, error) from None
        self._socket = socket

    async def _keep_alive(self) -> None:
        """Send empty messages while the source is silent, because the server ends silent clients."""
        while True:
            await asyncio.sleep(ALIVE_S)
            if asyncio.get_running_loop().time() - self._sent_s >= ALIVE_S and not self._finishing.is_set():
                with suppress(UnavailableError):
                    await self._say(b"")

    async def _receive(self) -> None:
        """Hand on what the server says; open lost connections again."""
        try:
            while True:
                code, reason = await self._listen()
                if not reason:
                    return
                if code not in RETRY_CODES:
                    raise UnavailableError(f"{self._url} has ended the stream ({reason})")
                await self._events.put(SourceEvent(self.time_s, "lost", reason, 0))
                await self._reconnect()
                if self._socket is None:
                    await self._end()
                    return
        except UnavailableError as error:
            self._failure = error
            await self._events.put(None)

    async def _listen(self) -> tuple[int, str]:
        """Hand on one connection's events. Returns why it was lost, with its code, or nothing if the stream ended."""
        from websockets.exceptions import ConnectionClosed

        try:
            while True:
                try:
                    event = event_from(json.loads(await self._socket.recv()))
                except ValueError as error:
                    raise UnavailableError(f"{self._url} sent something that is not an event ({error})") from None
                if await self._take(event):
                    return 1000, ""
        except ConnectionClosed as closed:
            self._socket = None
            code = closed.rcvd.code if closed.rcvd else 1006
            return code, (closed.rcvd.reason if closed.rcvd else "") or "the connection was lost"

    async def _reconnect(self) -> None:
        """Open a connection again, unless the sound ends meanwhile."""
        pause_s, longest_s = self._retry_s
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._finishing.wait()
                return
            try:
                async with asyncio.timeout(longest_s):
                    await self._connect()
                break
            except TimeoutError:
                continue
            except UnavailableError as error:
                if isinstance(error, RefusedError) and error.status in FOR_GOOD:
                    raise
                pause_s = min(2 * pause_s, longest_s)
        self._decisions += self._decided_now
        self._decided_now = 0
        for gap in self._gaps:  # the server did not live to tell of them
            self._note(gap)
        self._gaps.clear()
        missing = max(0, (self._position - self._answered) * SAMPLE_RATE // self._rate)
        self._all_missing += missing
        self._answered = self._position
        await self._events.put(SourceEvent(self.time_s, "open", self._url, missing))
        if self._finishing.is_set():
            await self._say(FINALIZE)

    async def _take(self, event: Event) -> bool:
        """Hand on an event; whether it is the last one."""
        if isinstance(event, StartEvent):
            if self._started and self._started.model == event.model:
                return False
            self._started = event
        elif isinstance(event, SourceEvent) and self._gaps:
            gap = self._gaps.popleft()
            self._note(gap)
            time_s = event.time if gap.state == "open" else event.time - gap.missing_samples / SAMPLE_RATE
            event = SourceEvent(time_s, gap.state, gap.detail, gap.missing_samples)
        elif isinstance(event, EndEvent):
            self._decisions += event.decisions
            self._decided_now = 0
            self._answered = self._position
            if not self._finishing.is_set():  # the server ends, not the sound: the close follows
                return False
            figures = self._dropped, self._all_missing, event.step_ms, event.latency_ms
            event = EndEvent(event.time, self._decisions, *figures)
        if isinstance(event, DecisionEvent):
            self._answered = max(self._answered, round(event.time * self._rate))
            self._decided_now += 1
        await self._events.put(event)
        if isinstance(event, EndEvent):
            await self._events.put(None)
        return isinstance(event, EndEvent)

    def _note(self, gap: Gap) -> None:
        """Count the sound of a gap, which arrived and was skipped, or never arrived."""
        if gap.state == "skipped":
            self._dropped += gap.missing_samples
        else:
            self._all_missing += gap.missing_samples

    async def _end(self) -> None:
        """The stream ends without the server."""
        await self._events.put(ErrorEvent(self.time_s, GONE))
        nothing: dict[str, float | None] = {"p50": None, "p99": None, "max": None}
        missing = self._all_missing + max(0, (self._position - self._answered) * SAMPLE_RATE // self._rate)
        decisions = self._decisions + self._decided_now
        await self._events.put(EndEvent(self.time_s, decisions, self._dropped, missing, nothing, nothing))
        self._failure = UnavailableError(f"{GONE}, and {missing / SAMPLE_RATE:.1f} s of it were not recognised")
        await self._events.put(None)
