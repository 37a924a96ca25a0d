"""The parts that all connections share: the model, the recogniser, the limits, and the list of connections."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from rtser.engine.contract import SAMPLE_RATE
from rtser.engine.model import Model
from rtser.serve.access import Access
from rtser.serve.metrics import Metrics
from rtser.serve.recogniser import Recogniser, ServedStream, Told
from rtser.serve.settings import ServeSettings

MOST_WAITING = 1_000
"""Most events that may wait for a slow client. Beyond this, its sound is not read either."""


class Connection(Protocol):
    """Something that has streams: a socket, or a file that is being recognised."""

    @property
    def busy(self) -> bool:
        """Whether something is being recognised."""

    def leave(self) -> None:
        """End in order, with the last events."""


class Service:
    """The server without its HTTP part.

    Args:
        settings: of the server.
        model: from `rtser.load`.
        model_file: the model's file, for the page.

    Raises:
        InputError: the settings of access are not safe; see `Access`.

    Attributes:
        decoders: threads that decode files, one per file.
        streams: number of live streams; each channel is one.
        draining: whether the server is about to end, and accepts no new clients.
    """

    def __init__(self, settings: ServeSettings, model: Model, model_file: Path) -> None:
        self.settings, self.model, self.model_file = settings, model, model_file
        self.access, self.metrics = Access(settings), Metrics()
        self.streams = 0
        self.draining = False
        self._connections: set[Connection] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.recogniser = Recogniser(
            model, self._post, settings.window_s, settings.decide, settings.batch_wait_ms / 1000, self.metrics
        )
        self._open: set[ServedStream] = set()
        self.decoders = ThreadPoolExecutor(settings.limits.uploads, "decoder")
        self.metrics.gauge("streams", "Live streams now.", lambda: self.streams)
        self.metrics.gauge("connections", "Connections now, files included.", lambda: len(self._connections))
        self.metrics.gauge("lag_seconds", "Longest sound of a live stream that waits to be recognised.", self._lag_s)

    @property
    def problem(self) -> str:
        """Why the server is not ready for new clients; empty if it is."""
        if not self.recogniser.alive:
            return "the recogniser has failed"
        return "the server is about to end" if self.draining else ""

    @contextmanager
    def connected(self, connection: Connection) -> Iterator[None]:
        """Count a connection for as long as it lasts."""
        self._loop = asyncio.get_running_loop()
        self._connections.add(connection)
        try:
            yield
        finally:
            self._connections.discard(connection)

    @property
    def full(self) -> bool:
        """Whether no more sockets are accepted."""
        return len(self._connections) >= self.settings.limits.streams + self.settings.limits.uploads

    @property
    def uploads_problem(self) -> str:
        """Why no more files are accepted; empty if they are."""
        files = sum(not one.live for one in self._open)
        return "too many files at once" if files >= self.settings.limits.uploads else ""

    def open(self, tell: Callable[[Told], None], **options: int | bool) -> ServedStream:
        """A new stream of the recogniser; counted until its last event has been sent."""
        stream = ServedStream(tell, **options)  # type: ignore[arg-type]
        self._open.add(stream)
        self.streams += stream.live
        return stream

    async def drain(self) -> None:
        """Accept no new clients. Let the others continue for a while, then end them with their last events."""
        self.draining = True
        for one in self._connections:
            if not one.busy:
                one.leave()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.drain_s):
                while self._connections:
                    await asyncio.sleep(0.05)
        for one in self._connections:
            one.leave()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.settings.last_events_s + 1):
                while self._connections:
                    await asyncio.sleep(0.02)

    def stop(self) -> None:
        """End all threads."""
        self.recogniser.stop()
        self.decoders.shutdown(wait=False, cancel_futures=True)

    def _post(self, told: list[Told]) -> None:
        """Pass messages to the event loop."""
        assert self._loop is not None
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._tell, told)

    def _tell(self, told: list[Told]) -> None:
        for one in told:
            if one.last and one.stream in self._open:
                self._open.discard(one.stream)
                self.streams -= one.stream.live
            one.stream.tell(one)

    def _lag_s(self) -> float:
        return max((one.backlog for one in self._open if one.live), default=0) / SAMPLE_RATE
