"""Running the server: the socket, TLS, signals, and an orderly end."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from rtser.engine.model import Model
from rtser.errors import InputError, UnavailableError, reason_of
from rtser.serve.app import make_app
from rtser.serve.service import Service
from rtser.serve.settings import ServeSettings
from rtser.serve.transport import BoundedHttp, BoundedSocket

SPARE_CONNECTIONS = 512
"""Connections besides those of streams and files: for health, metrics, and refused clients."""
MOST_HEADER_BYTES = 32_768
"""Size of a request before its body."""
CLOSING_S = 2.0
"""Longest time for closing a connection. A client that reads nothing would keep it open for ever."""
NOISE = ("without completing handshake", "Invalid UTF-8", "Invalid HTTP request")
"""Messages of uvicorn about clients; the metrics count them."""


class Server(uvicorn.Server):
    """Drains on the first signal, and ends at once on the second one; drops connections that do not close."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._closing: dict[object, float] = {}
        self.received: int | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen. Uvicorn's own method would allow a client a minute for the TLS handshake."""
        assert sockets is not None
        loop, config = asyncio.get_running_loop(), self.config

        def protocol() -> asyncio.Protocol:
            made = config.http_protocol_class
            return made(config=config, server_state=self.server_state, app_state={}, _loop=loop)  # type: ignore[call-arg]

        handshake_s = self._service.settings.limits.request_s if config.ssl else None
        made = loop.create_server(protocol, sock=sockets[0], ssl=config.ssl, ssl_handshake_timeout=handshake_s)
        self.servers = [await made]
        self.started = True

    async def on_tick(self, counter: int) -> bool:
        """Every 0.1 s: drop connections that do not close, and end if the recogniser has ended."""
        now_s = asyncio.get_running_loop().time()
        closing = [one for one in self.server_state.connections if one.transport.is_closing()]
        self._closing = {one: self._closing.get(one, now_s) for one in closing}
        for one, since_s in self._closing.items():
            if now_s - since_s > CLOSING_S:
                one.transport.abort()  # type: ignore[attr-defined]
        return await super().on_tick(counter) or not self._service.recogniser.alive

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
        settings: settings of the server.
        model: from `rtser.load`.
        model_file: the model's file, for the page.
        say: called with the address, once the server accepts clients.

    Returns:
        the signal.

    Raises:
        InputError: the settings of access or TLS cannot be used.
        UnavailableError: the address cannot be used, or the recogniser has failed.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_worth_saying)
    service = Service(settings, model, model_file)
    try:
        limits = settings.limits
        most = limits.streams + limits.uploads + SPARE_CONNECTIONS
        bounded = {"request_s": limits.request_s, "most": most}
        config = uvicorn.Config(
            make_app(service),
            http=type("Http", (BoundedHttp,), bounded),
            ws=BoundedSocket,
            loop="asyncio",
            ws_max_size=1024 * limits.message_kb,
            ws_ping_interval=None,  # a slowed client answers late; idle_s finds clients that have gone
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
        _check_pem(settings)
        try:
            config.load()
        except ssl.SSLError as error:
            if error.reason == "KEY_VALUES_MISMATCH":
                raise InputError("the key of --key is not that of --certificate", "name the one that is") from None
            raise InputError(
                "the certificate or its key cannot be used", "name PEM files, and a key without a password"
            ) from None
        with _listening(settings) as listening:
            host, port = listening.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            say(f"{'https' if config.is_ssl else 'http'}://{shown}:{port}")
            server = Server(config, service)
            server.run([listening])
            if service.recogniser.failure:
                raise UnavailableError(
                    "the recogniser has failed, and the server has ended", "see the log for the reason"
                )
            return server.received
    finally:
        service.stop()


def _check_pem(settings: ServeSettings) -> None:
    """Raise InputError if the certificate or its key cannot be read, or is no PEM file."""
    files = {"--certificate": (settings.tls.certificate, b"CERTIFICATE"), "--key": (settings.tls.key, b"PRIVATE KEY")}
    for option, (path, kind) in files.items():
        if path is None:
            continue
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InputError(f"{option}: {path} cannot be read ({reason_of(error)})", "name a PEM file") from None
        if b"-----BEGIN " not in content or kind not in content:
            what = kind.decode().lower()
            raise InputError(f"{option}: {path} is not a PEM file with a {what}", "name one that has it")


def _worth_saying(record: logging.LogRecord) -> bool:
    """Whether uvicorn reports something that only the operator can repair."""
    return not any(noise in record.getMessage() for noise in NOISE)


def _listening(settings: ServeSettings) -> socket.socket:
    """The socket on which the server listens."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        made = socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except (OSError, OverflowError) as error:
        reason = reason_of(error) if isinstance(error, OSError) else str(error)
        reason = reason.partition(" (while attempting")[0]  # added by the standard library
        where = f"{settings.host}, port {settings.port}"
        of_port = isinstance(error, OSError) and error.errno in (errno.EADDRINUSE, errno.EACCES)
        advice = f"name another {'port with --port' if of_port else 'address with --host'}"
        raise UnavailableError(f"{where}: this address cannot be used ({reason})", advice) from None
    made.setblocking(False)
    return made
