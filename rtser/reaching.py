"""Reaching a server: its address, and what is said if it cannot be reached, or refuses."""

from __future__ import annotations

import json
import ssl
from importlib.util import find_spec
from urllib.parse import urlsplit

from rtser.errors import INSTALL, ArgumentError, UnavailableError, reason_of
from rtser.protocol import PATH


def check_package() -> None:
    """Raise UnavailableError if the package websockets is not installed."""
    if find_spec("websockets") is None:
        raise UnavailableError("streams to a server need the package websockets", INSTALL.format("serve"))


class RefusedError(UnavailableError):
    """The server has refused; `status` is that of HTTP."""

    def __init__(self, problem: str, advice: str, status: int) -> None:
        super().__init__(problem, advice)
        self.status = status


def unreachable(url: str, error: object) -> UnavailableError:
    """The error for a server that cannot be reached."""
    reason = str(error)
    if isinstance(error, ssl.SSLError):
        reason = f"TLS: {error.reason or error}"
    elif isinstance(error, OSError):
        reason = reason_of(error)
    return UnavailableError(f"{url} cannot be reached ({reason or type(error).__name__})", "start rtser serve there")


def refused(url: str, status: int, body: bytes | bytearray | None) -> RefusedError:
    """The error for a server that answers with a status of HTTP, and perhaps a problem as JSON."""
    try:
        problem = str(json.loads(body or b"")["problem"])
    except (ValueError, KeyError, TypeError):
        problem = f"HTTP status {status}"
    advice = {401: "give its token", 404: "is it an rtser serve?", 503: "try again later"}.get(status, "")
    return RefusedError(f"{url} refuses ({problem})", advice, status)


def socket_url(url: str) -> str:
    """The address of the WebSocket; raises ArgumentError if the URL is not valid."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises ValueError if it is none
    except ValueError as error:
        raise ArgumentError(f"{url} is not the address of a server ({error})", "write ws://HOST:PORT") from None
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    if scheme not in ("ws", "wss") or not parts.hostname:
        raise ArgumentError(f"{url} is not the address of a server", "write ws://HOST:PORT or wss://HOST:PORT")
    path = parts.path.rstrip("/")
    return f"{scheme}://{parts.netloc}{path if path.endswith(PATH) else path + PATH}"
