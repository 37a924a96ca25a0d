"""Uvicorn's HTTP and WebSockets with further limits: time, messages at once, unread data."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

PART_BYTES = 4_096
"""Bytes that are parsed at once. 64 KiB of the smallest messages would delay all streams for a second."""


class BoundedHttp(H11Protocol):
    """HTTP that ends silent clients and limits how many there are at once.

    Attributes:
        request_s: seconds that a client has for its first request, and for the next one after an answer.
        most: connections at once.
    """

    request_s = 10.0
    most = 1_000

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, and set the time for its first request."""
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.abort()
        else:
            self._expect_request()

    def on_response_complete(self) -> None:
        """Set the time for the next request; it also limits a body that has not ended."""
        super().on_response_complete()
        self._expect_request()

    def _expect_request(self) -> None:
        self.loop.call_later(self.request_s, self._end_silent, self.cycle)

    def _end_silent(self, before: object) -> None:
        if self in self.connections and self.cycle is before:  # a WebSocket has moved to the other protocol by now
            self.transport.abort()


class BoundedSocket(WebSocketsSansIOProtocol):
    """A WebSocket that parses a small part at a time, and waits until its messages are taken."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._unparsed = bytearray()

    def data_received(self, data: bytes) -> None:
        """Parse the first part. The others follow when its messages have been taken."""
        self._unparsed += data
        self._parse()

    def handle_ping(self) -> None:
        """Answer a ping, unless the client does not read: the answers would pile up."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()

    async def receive(self) -> Any:
        """The next message; reading continues when no message waits."""
        message = await self.queue.get()
        if self.queue.empty():
            self._go_on()
        return message

    def _parse(self) -> None:
        if self.transport.is_closing():
            self._unparsed.clear()
            return
        part = bytes(self._unparsed[:PART_BYTES])
        del self._unparsed[:PART_BYTES]
        super().data_received(part)
        if self._unparsed and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()
        if self.queue.empty() or self.close_sent:
            self._go_on()

    def _go_on(self) -> None:
        if self._unparsed:
            self.loop.call_soon(self._parse)
        elif self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
