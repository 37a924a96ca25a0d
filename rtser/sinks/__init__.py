"""Where events go: each sink takes one event at a time through `write`, and is closed at the end."""

from __future__ import annotations

from typing import Protocol

from rtser.events import Event


class Sink(Protocol):
    """What every sink can do."""

    def write(self, event: Event) -> None:
        """Take one event."""

    def close(self) -> None:
        """Write what is still held and let go."""
