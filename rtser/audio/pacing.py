"""A source paced in real time, or at any number of times real time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

from rtser.audio.source import Chunk, Gap, Source, split
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE

HELD_S = 0.05
"""How long it waits before it asks again whether it is held."""


class PacedSource:
    """Gives out each 60 ms of a source when they would arrive in real time (a `Source`). Pacing changes no value.

    Args:
        source: what is paced.
        speed: times real time; 0 does not wait.
        stop: ends the sound as soon as it is set.
        name: in the events; the source's own if not named.
        held: whether it is to wait, asked before each hop.
    """

    def __init__(
        self,
        source: Source,
        speed: float,
        stop: threading.Event,
        name: str | None = None,
        held: Callable[[], bool] = lambda: False,
    ) -> None:
        self._source, self._speed, self._stop, self._held = source, speed, stop, held
        self.name, self.sample_rate, self.trouble = name or source.name, source.sample_rate, ""

    def lag_s(self) -> None:
        """The source is not live."""

    def chunks(self) -> Iterator[Chunk]:
        """Give out the source's sound hop by hop; raises what the source raises."""
        started_s, given = time.monotonic(), 0
        for chunk in self._source.chunks():
            if isinstance(chunk, Gap):
                yield chunk
                continue
            for hop in split(chunk, HOP_SAMPLES):
                given += len(hop)
                due_s = started_s + given / SAMPLE_RATE / self._speed if self._speed else 0.0
                early_s = due_s - time.monotonic()
                if self._stop.wait(early_s) if early_s > 0 else self._stop.is_set():
                    return
                held_s = time.monotonic()
                while self._held():
                    if self._stop.wait(HELD_S):
                        return
                    now_s = time.monotonic()
                    started_s, held_s = started_s + now_s - held_s, now_s
                yield hop
