"""One WebSocket: sound in, events out."""

from __future__ import annotations

import asyncio
import uuid
from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect

from rtser.audio.pcm import FrameJoiner
from rtser.audio.resample import MonoResampler
from rtser.audio.source import Gap
from rtser.engine.contract import SAMPLE_RATE, Float32, checked_samples
from rtser.errors import RtserError
from rtser.events import ErrorEvent, Event, StartEvent
from rtser.protocol import PCM, SUBPROTOCOL, Close, Finalize, Reset, Start, parsed
from rtser.serve.recogniser import ServedStream, Told
from rtser.serve.service import MOST_WAITING, Service

PROTOCOL_ERRORS = (1002, 1007, 1009)
"""Codes with which the WebSocket itself closes a connection."""
MOST_REASON = 123
"""Bytes of the reason in a close (RFC 6455, section 5.5)."""
CLOSE_S = 1.0
"""How long the close of a socket may take."""
Where = dict[str, Any]
"""The stream and the channel that an event is about."""


class EndedError(Exception):
    """The connection ends.

    Args:
        code: for the client.
        problem: a sentence for the client, without a full stop.
        reason: the name for the metrics; empty if no client was refused or cut off.
    """

    def __init__(self, code: Close, problem: str, reason: str = "") -> None:
        super().__init__(problem)
        self.code, self.problem, self.reason = code, problem, reason


class Channel:
    """One channel of a client's sound."""

    def __init__(self, start: Start, stream: ServedStream) -> None:
        self.stream, self.resampler = stream, MonoResampler(start.name, start.rate)
        self.given_before = 0  # at the last reset

    def samples(self, block: Float32) -> Float32:
        """Samples at 16 kHz of a block (n, 1)."""
        return self.resampler.resample(checked_samples(self.resampler.mix(block)))


class SocketConnection:
    """Serves one WebSocket from its start to its end.

    Args:
        socket: not yet accepted.
        service: shared by all connections.
    """

    def __init__(self, socket: WebSocket, service: Service) -> None:
        self._socket, self._service = socket, service
        self._limits = service.settings.limits
        self._channels: list[Channel] = []
        self._joiner = FrameJoiner(1)
        self._open: set[ServedStream] = set()
        self._events: deque[str] = deque()
        self._changed, self._room = asyncio.Event(), asyncio.Event()
        self._asked: asyncio.Future[EndedError] = asyncio.get_running_loop().create_future()
        self._ending = False

    async def serve(self) -> None:
        """Accept the client, and serve it until it goes, breaks the rules, or the server ends."""
        offered = self._socket.scope.get("subprotocols", [])
        await self._socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        reading, writing = asyncio.create_task(self._read()), asyncio.create_task(self._write())
        with self._service.connected(self):
            try:
                waited: list[asyncio.Future[Any]] = [reading, writing, self._asked]
                await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
                ended = self._asked.result() if self._asked.done() else _why(reading, writing)
                if ended:
                    reading.cancel()
                    await self._end(ended, writing)
            finally:
                reading.cancel()
                writing.cancel()
                for stream in self._open:
                    self._service.recogniser.abandon(stream)

    @property
    def busy(self) -> bool:
        """Whether it has a stream."""
        return bool(self._open)

    def leave(self) -> None:
        """End in order, with the last events, because the server ends."""
        self._ask(EndedError(Close.GOING_AWAY, "the server ends"))

    async def _read(self) -> None:
        """Take the client's messages until it goes."""
        now_s = asyncio.get_running_loop().time
        end_s = now_s() + self._limits.total_s
        while True:
            idle_s = now_s() + self._limits.idle_s
            try:
                async with asyncio.timeout_at(min(idle_s, end_s)):
                    message = await self._socket.receive()
            except TimeoutError:
                if idle_s < end_s:
                    problem = f"nothing came for {self._limits.idle_s:g} s"
                    raise EndedError(Close.POLICY, problem, "idle") from None
                raise EndedError(Close.POLICY, f"{self._limits.total_s:g} s are over", "total_time") from None
            if message["type"] == "websocket.disconnect":
                if message.get("code") in PROTOCOL_ERRORS:
                    self._service.metrics.rejected.labels("protocol").inc()
                return
            await asyncio.sleep(0)  # so that a flood of tiny messages cannot block the other connections
            try:
                if (text := message.get("text")) is not None:
                    self._obey(parsed(text))
                else:
                    self._hear(message["bytes"])
            except RtserError as error:
                raise EndedError(Close.INVALID, str(error).rstrip("."), "invalid") from None
            await self._have_room()

    async def _write(self) -> None:
        """Send events until the last one."""
        while True:
            while self._events:
                try:
                    async with asyncio.timeout(self._limits.slow_reader_s):
                        await self._socket.send_text(self._events.popleft())
                except TimeoutError:
                    problem = f"an event was not read within {self._limits.slow_reader_s:g} s"
                    raise EndedError(Close.POLICY, problem, "slow_reader") from None
                except RuntimeError:  # it has closed meanwhile
                    raise WebSocketDisconnect from None
                self._room.set()
            if self._ending and not self._open:
                return
            self._changed.clear()
            await self._changed.wait()

    async def _end(self, ended: EndedError, writing: asyncio.Task[None]) -> None:
        """Send the last events, and say why the connection ends."""
        if ended.reason:
            self._service.metrics.rejected.labels(ended.reason).inc()
        if ended.code == Close.GOING_AWAY:
            self._finish()
        else:
            for stream in self._open:
                self._service.recogniser.abandon(stream)
            self._say(ErrorEvent(self._time_s(), ended.problem), {})
        self._ending = True
        self._changed.set()
        code, problem = ended.code, ended.problem
        try:
            async with asyncio.timeout(self._service.settings.last_events_s):
                await writing
        except TimeoutError:
            code, problem = Close.FAILED, "the last events could not be sent in time"
        except (EndedError, WebSocketDisconnect, OSError):
            pass
        reason = problem.encode()[:MOST_REASON].decode(errors="ignore")
        with suppress(TimeoutError, WebSocketDisconnect, OSError, RuntimeError):
            async with asyncio.timeout(CLOSE_S):
                await self._socket.close(code, reason)

    def _obey(self, said: Start | Finalize | Reset) -> None:
        if isinstance(said, Start):
            self._start(said)
        elif not self._channels:
            raise EndedError(Close.INVALID, f"there is no stream to {said.type}; send start first", "invalid")
        elif isinstance(said, Finalize):
            self._finish()
        else:
            missing = round(said.missing_s * SAMPLE_RATE)
            self._joiner = self._joiner.anew()
            if not missing and not any(channel.stream.given > channel.given_before for channel in self._channels):
                return  # nothing has come since the last reset
            for channel in self._channels:
                self._give(channel, channel.resampler.flush())
                channel.given_before = channel.stream.given
                self._service.recogniser.broken(channel.stream, Gap("open", "the client reset the stream", missing))

    def _start(self, start: Start) -> None:
        if self._channels:
            raise EndedError(Close.INVALID, "a stream is open; send finalize first", "invalid")
        if start.channels > self._limits.channels:
            problem = f"a connection has at most {self._limits.channels} channels"
            raise EndedError(Close.POLICY, problem, "channels")
        if self._service.draining:
            raise EndedError(Close.GOING_AWAY, "the server ends")
        if self._service.streams + start.channels > self._limits.streams:
            raise EndedError(Close.FULL, "the server is full; try again later", "full")
        self._joiner = FrameJoiner(start.channels, PCM[start.format])
        name = uuid.uuid4().hex[:12]
        for index in range(start.channels):
            where: Where = {"stream": name, "channel": index}
            stream = self._service.open(
                partial(self._told, where),
                decisions=start.events == "decisions",
                every=start.every_ms * SAMPLE_RATE // 1000,
                begin=round(start.time * SAMPLE_RATE),
            )
            self._open.add(stream)
            self._channels.append(Channel(start, stream))
            self._say(StartEvent.of(start.name, start.rate, self._service.model), where)

    def _hear(self, sound: bytes) -> None:
        if not self._channels:
            raise EndedError(Close.UNSUPPORTED, "sound came before start", "invalid")
        frames = self._joiner.join(sound)
        for index, channel in enumerate(self._channels):
            self._give(channel, channel.samples(frames[:, index : index + 1]))

    def _give(self, channel: Channel, samples: Float32) -> None:
        if len(samples):
            self._service.recogniser.push(channel.stream, samples)

    def _finish(self) -> None:
        """End the sound; the bytes of an incomplete frame are dropped."""
        for channel in self._channels:
            self._give(channel, channel.resampler.flush())
            self._service.recogniser.finish(channel.stream)
        self._channels = []

    async def _have_room(self) -> None:
        """Wait while too much sound waits to be recognised, or too many events to be read."""
        most = round(self._limits.queue_s * SAMPLE_RATE)
        while True:
            self._room.clear()
            for stream in self._open:
                stream.ask_room(most)
            if len(self._events) <= MOST_WAITING and not any(stream.wants_room for stream in self._open):
                return
            await self._room.wait()

    def _told(self, where: Where, told: Told) -> None:
        """Take news of a stream from the recogniser."""
        for event in told.events:
            self._say(event, where)
        self._room.set()
        if told.last:
            self._open.discard(told.stream)
            self._changed.set()
            if any(channel.stream is told.stream for channel in self._channels):
                self._ask(EndedError(Close.FAILED, "the recogniser has failed", "failed"))

    def _say(self, event: Event, where: Where) -> None:
        self._events.append(event.to_json(where=where))
        self._changed.set()

    def _ask(self, ended: EndedError) -> None:
        if not self._asked.done():
            self._asked.set_result(ended)

    def _time_s(self) -> float:
        return max((stream.run.time_s for stream in self._open), default=0.0)


def _why(*tasks: asyncio.Task[None]) -> EndedError | None:
    """Why a connection ends; None if the client has gone. A bug is raised."""
    for task in tasks:
        if task.done() and not task.cancelled() and (error := task.exception()):
            if isinstance(error, EndedError):
                return error
            if not isinstance(error, WebSocketDisconnect | OSError):
                raise error
    return None
