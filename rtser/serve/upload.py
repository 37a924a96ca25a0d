"""A file over HTTP: received into a temporary file, decoded in a thread, recognised together with live streams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import IO

from starlette.requests import ClientDisconnect, Request

from rtser.audio.file import AudioFile
from rtser.engine.contract import SAMPLE_RATE, Float32, checked_samples
from rtser.errors import InputError
from rtser.events import EndEvent, ErrorEvent, Event, StartEvent
from rtser.serve.recogniser import Told
from rtser.serve.service import MOST_WAITING, Service

logger = logging.getLogger("rtser")
NAME = "the file"


class UploadError(Exception):
    """A file is refused: the HTTP status, a reason for the metrics, and a sentence without a full stop."""

    def __init__(self, status: int, reason: str, problem: str) -> None:
        super().__init__(problem)
        self.status, self.reason, self.problem = status, reason, problem


class Upload:
    """One file, from its first byte to its last event.

    Args:
        service: shared by all connections.
        channel: which channel is used, counted from 0; None for the mean of all.
        decisions: whether decisions are sent, besides utterances.
    """

    def __init__(self, service: Service, channel: int | None, decisions: bool) -> None:
        self._service, self._limits, self._channel = service, service.settings.limits, channel
        self._stream = service.open(self._tell, live=False, decisions=decisions)
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._room = asyncio.Event()
        self._left, self._problem = False, ""

    @property
    def busy(self) -> bool:
        """True: a file is being recognised."""
        return True

    def leave(self) -> None:
        """End in order, with the events so far, because the server ends."""
        self._problem = f"the server ends; only the first {self._stream.given / SAMPLE_RATE:.1f} s are recognised"
        self._left = True
        self._room.set()

    async def receive(self, request: Request, file: IO[bytes]) -> None:
        """Write the body of a request to a file.

        Raises:
            UploadError: the file is too large, or takes too long.
        """
        most = round(self._limits.upload_mb * 1e6)
        too_large = UploadError(413, "too_large", f"a file may have at most {self._limits.upload_mb:g} MB")
        stated = request.headers.get("content-length", "0")
        if stated.isdigit() and int(stated) > most:
            raise too_large
        size = 0
        try:
            async with asyncio.timeout(self._limits.upload_s):
                async for part in request.stream():
                    size += len(part)
                    if self._left:
                        raise UploadError(503, "not_ready", "the server ends")
                    if size > most:
                        raise too_large
                    file.write(part)
        except TimeoutError:
            problem = f"the file did not arrive within {self._limits.upload_s:g} s"
            raise UploadError(408, "slow_upload", problem) from None
        except ClientDisconnect:
            raise UploadError(400, "left", "the client has gone") from None
        file.flush()

    async def events(self, path: str) -> AsyncGenerator[Event]:
        """The events of the file, from its start to its end. A problem with it comes as an `ErrorEvent`.

        Raises:
            UploadError: the file holds no readable sound.
        """
        loop, decoders = asyncio.get_running_loop(), self._service.decoders
        try:
            audio = await loop.run_in_executor(decoders, partial(AudioFile, path, self._channel, name=NAME))
        except InputError as error:
            raise UploadError(422, "unreadable", error.problem) from None
        except Exception:
            logger.exception("a file cannot be opened")
            raise UploadError(422, "unreadable", f"{NAME} cannot be decoded") from None
        with suppress(OSError):  # an open file needs no name, and a nameless file disappears after a crash
            Path(path).unlink()
        yield StartEvent.of(NAME, audio.sample_rate, self._service.model)
        feeding = loop.run_in_executor(decoders, self._feed, audio, loop)
        try:
            while (event := await self._events.get()) is not None:
                self._room.set()
                yield event
            await feeding
        finally:
            self._left = True
            self._room.set()
            with suppress(Exception):
                await feeding

    def close(self) -> None:
        """Stop, because nobody listens any more."""
        self._service.recogniser.abandon(self._stream)

    def _feed(self, audio: AudioFile, loop: asyncio.AbstractEventLoop) -> None:
        """Decode in a thread, no faster than the recogniser."""
        problem = ""
        try:
            with audio:
                for samples in audio.chunks():
                    going_on = asyncio.run_coroutine_threadsafe(self._take(checked_samples(samples)), loop).result()
                    if not going_on:
                        break
        except InputError as error:
            problem = str(error)
        except Exception:
            logger.exception("a file cannot be decoded")
            problem = f"{NAME} cannot be decoded to its end"
        loop.call_soon_threadsafe(self._finish, problem)

    async def _take(self, samples: Float32) -> bool:
        """Give the recogniser samples, once there is room; returns whether more are wanted."""
        most = round(self._limits.queue_s * SAMPLE_RATE)
        while not self._left:
            self._room.clear()
            if not self._stream.ask_room(most) and self._events.qsize() <= MOST_WAITING:
                break
            await self._room.wait()
        if self._stream.given > self._limits.upload_hours * 3600 * SAMPLE_RATE:
            self._problem = f"only the first {self._limits.upload_hours:g} hours of a file are recognised"
            return False
        if not self._left and len(samples):
            self._service.recogniser.push(self._stream, samples)
        return not self._left

    def _finish(self, problem: str) -> None:
        self._problem = self._problem or problem.rstrip(".")
        self._service.recogniser.finish(self._stream)

    def _tell(self, told: Told) -> None:
        for event in told.events:
            if isinstance(event, EndEvent) and self._problem:
                self._events.put_nowait(ErrorEvent(event.time, self._problem))
            self._events.put_nowait(event)
        self._room.set()
        if told.last:
            self._left = True
            self._service.metrics.uploads.inc()
            self._events.put_nowait(None)
