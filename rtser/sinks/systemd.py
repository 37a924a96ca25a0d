"""Tells systemd (Type=notify) that the program is ready, alive, or stopping. See sd_notify(3).

The protocol is one datagram. Of the packages for it, sdnotify has not changed since 2017, and systemd-python needs a
compiler and the headers of systemd.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from rtser.events import DecisionEvent, EndEvent, Event, SourceEvent, StartEvent

HOPS_APART = 16
"""Decisions from one sign of life to the next: about a second."""


class ServiceManager:
    """Tells the service manager that started this program its state.

    Only decisions are signs of life: a program that runs without sound is restarted by the watchdog.
    """

    def __init__(self, address: str) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._decisions = 0

    @staticmethod
    def of_environment() -> ServiceManager | None:
        """The service manager that started this program, if it asks for notifications."""
        address = os.environ.get("NOTIFY_SOCKET")
        return ServiceManager(address) if address else None

    def write(self, event: Event) -> None:
        """Tell the service manager the state that follows from an event."""
        if isinstance(event, StartEvent):
            self._send(f"READY=1\nSTATUS=listening to {event.source}")
        elif isinstance(event, DecisionEvent):
            if self._decisions % HOPS_APART == 0:
                self._send("WATCHDOG=1")
            self._decisions += 1
        elif isinstance(event, SourceEvent):
            self._send(f"STATUS={event.state}: {event.detail}")
        elif isinstance(event, EndEvent):
            self._send("STOPPING=1")

    def close(self) -> None:
        """Do nothing; the sink holds nothing back."""

    def _send(self, state: str) -> None:
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
            out.sendto(state.encode(), socket.MSG_DONTWAIT, self._address)
