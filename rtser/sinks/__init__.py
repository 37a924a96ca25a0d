"""Outputs of events and sound.

A sink takes one event at a time through `write`. An audio sink takes every block of samples through `write_audio`. Both
are closed at the end, whatever happened. They raise OutputError if they cannot write.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Protocol

from rtser.engine.contract import Float32
from rtser.events import Event


class Sink(Protocol):
    """Takes events. A sink that reads only some kinds names them in an attribute `kinds`."""

    def write(self, event: Event) -> None:
        """Take one event."""

    def close(self) -> None:
        """Write what is still held, and close."""


class AudioSink(Protocol):
    """Takes sound."""

    def write_audio(self, samples: Float32, start: int) -> None:
        """Take a block (n,), float32, mono, 16 kHz. `start`: its first sample, counted in the run with gaps."""


def reads(sink: Sink, kind: type[Event]) -> bool:
    """Whether a sink reads events of a kind."""
    return issubclass(kind, getattr(sink, "kinds", Event))


@contextmanager
def closing(sinks: Sequence[Sink]) -> Iterator[None]:
    """Close every sink at the end, even if closing another one fails."""
    with ExitStack() as stack:
        for sink in sinks:
            stack.callback(sink.close)
        yield
