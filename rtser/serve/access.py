"""Access to the server: its token, its names, and the web pages that may use it."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from rtser.access_token import VARIABLE, read_token
from rtser.errors import InputError
from rtser.protocol import TOKEN_PREFIX
from rtser.serve.settings import ServeSettings

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Refusal:
    """Why a client is refused: the HTTP status, a reason for the metrics, and a sentence."""

    status: int
    reason: str
    problem: str


class Access:
    """Decides who may use the server.

    Args:
        settings: of the server.

    Raises:
        InputError: the token cannot be read or is too short, or a token is needed and there is none.
    """

    def __init__(self, settings: ServeSettings) -> None:
        access = settings.access
        self._token = read_token(access.token_file).encode()
        self._origins = access.origins
        loopback = is_loopback(settings.host)
        own = {*LOOPBACK_NAMES, settings.host.lower(), socket.gethostname().lower(), *access.hosts}
        self._hosts = own if loopback or access.hosts or not self._token else None  # else the token protects
        self._numbers = not loopback
        if not loopback and not self._token and not access.insecure:
            raise InputError(
                f"{settings.host} can be reached by others, and there is no token",
                f"name a file with --token-file, set {VARIABLE}, or add --insecure",
            )

    def refusal(self, headers: Headers, scheme: str, needs_token: bool = True) -> Refusal | None:
        """Why a request is refused; None if it is not.

        Args:
            headers: of the request.
            scheme: ``http`` or ``https``, as the server was reached.
            needs_token: whether the address needs the token.
        """
        host = headers.get("host", "")
        if self._hosts is not None and not self._is_own(_name(host)):
            return Refusal(403, "host", "this server is not known by that name")
        origin = headers.get("origin")
        if origin is not None and not self._knows(origin, f"{scheme}://{host}"):
            return Refusal(403, "origin", "that web page may not use this server")
        if needs_token and self._token and not hmac.compare_digest(_offered(headers), self._token):
            return Refusal(401, "token", "this server needs its token")
        return None

    def _is_own(self, name: str) -> bool:
        """Whether a name of the Host header is one of this server's. No page can be reached by a bare address."""
        return name in (self._hosts or ()) or (self._numbers and _is_address(name))

    def _knows(self, origin: str, own: str) -> bool:
        return origin.lower() == own.lower() or origin.lower() in self._origins


def is_loopback(host: str) -> bool:
    """Whether an address can be reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def _offered(headers: Headers) -> bytes:
    """The token of a request; empty if there is none."""
    kind, _, token = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return token.strip().encode()
    for protocol in headers.get("sec-websocket-protocol", "").split(","):
        if protocol.strip().startswith(TOKEN_PREFIX):
            coded = protocol.strip().removeprefix(TOKEN_PREFIX)
            try:
                return base64.urlsafe_b64decode(coded + "=" * (-len(coded) % 4))
            except (binascii.Error, ValueError):
                return b""
    return b""


def _name(host: str) -> str:
    """The name of a host without its port."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
    return f"[{name}]" if ":" in name else name
