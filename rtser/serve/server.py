"""Running the server: the socket, TLS, signals, and an orderly end."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from rtser.engine.model import Model
from rtser.errors import InputError, UnavailableError
from rtser.serve.app import make_app
from rtser.serve.service import Service
from rtser.serve.settings import ServeSettings

SPARE_CONNECTIONS = 64
"""Connections beside those of streams and files: for health, metrics, and clients who are refused."""
MOST_HEADER_BYTES = 32_768
PING_S = 20.0


class BoundedProtocol(H11Protocol):
    """HTTP whose clients have to say something in time. There are at most so many at once."""

    request_s = 10.0
    most = 1_000

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, and set the time for its first request."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
        else:
            self.loop.call_later(self.request_s, self._no_request)

    def _no_request(self) -> None:
        if self in self.connections and self.cycle is None:  # a WebSocket is with another protocol by now
            self.transport.abort()


class Server(uvicorn.Server):
    """Drains on the first signal, and ends at once on the second one."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service, self._draining = service, False
        self.received: int | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """Begin to drain."""
        if self.received is not None:
            self.should_exit = self.force_exit = True
            return
        self.received = sig
        asyncio.get_running_loop().call_soon_threadsafe(self._begin_to_drain)

    def _begin_to_drain(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._drain())

    async def _drain(self) -> None:
        await self._service.drain()
        self.should_exit = True


def serve(settings: ServeSettings, model: Model, model_file: Path, say: Callable[[str], None]) -> int | None:
    """Serve until a signal asks for the end.

    Args:
        settings: of the server.
        model: from `rtser.load`.
        model_file: its file, for the page.
        say: gets the address, once the server takes clients.

    Returns:
        the signal.

    Raises:
        InputError: the settings of access or TLS cannot be used.
        UnavailableError: the address cannot be had.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_worth_saying)
    service = Service(settings, model, model_file)
    try:
        limits = settings.limits
        bounded = {"request_s": limits.request_s, "most": limits.streams + limits.uploads + SPARE_CONNECTIONS}
        config = uvicorn.Config(
            make_app(service),
            http=type("Bounded", (BoundedProtocol,), bounded),
            ws_max_size=1024 * limits.message_kb,
            ws_ping_interval=PING_S,
            ws_ping_timeout=PING_S,
            ws_per_message_deflate=False,  # a small message could become a large one
            h11_max_incomplete_event_size=MOST_HEADER_BYTES,
            timeout_graceful_shutdown=1,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            ssl_certfile=settings.tls.certificate,
            ssl_keyfile=settings.tls.key,
        )
        try:
            config.load()
        except (OSError, ssl.SSLError) as error:
            raise InputError(f"the certificate or its key cannot be used ({error.strerror or error})") from None
        with _listening(settings) as listening:
            host, port = listening.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            say(f"{'https' if config.is_ssl else 'http'}://{shown}:{port}")
            server = Server(config, service)
            server.run([listening])
            return server.received
    finally:
        service.stop()


def _worth_saying(record: logging.LogRecord) -> bool:
    """Uvicorn complains of a WebSocket that is refused by a response, although ASGI has an extension for just that."""
    return "without completing handshake" not in record.getMessage()


def _listening(settings: ServeSettings) -> socket.socket:
    """The socket that is listened on."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        made = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        where = f"{settings.host}, port {settings.port}"
        raise UnavailableError(f"{where}: the address cannot be had ({reason})", "name another one") from None
    made.setblocking(False)
    return made
