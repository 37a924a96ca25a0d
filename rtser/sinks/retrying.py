"""A sink whose failures do not end the run."""

from __future__ import annotations

import time
from collections.abc import Callable

from rtser.errors import InputError
from rtser.events import Event
from rtser.sinks import Sink

RETRY_S = 10.0


class Enduring:
    """Hands events on to a sink; where that fails it warns once, and tries again every ten seconds.

    Args:
        sink: raises InputError where it fails.
        warn: takes a sentence.
        kinds: the events that it writes; others are handed on, but say nothing of how it is.
        retry_s: so long it is left alone after a failure.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        sink: Sink,
        warn: Callable[[str], None],
        kinds: type[Event] | tuple[type[Event], ...] = Event,
        retry_s: float = RETRY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sink, self._warn, self._kinds, self._retry_s, self._clock = sink, warn, kinds, retry_s, clock
        self._failed_s: float | None = None
        self._lost = 0
        self._reason = ""

    def write(self, event: Event) -> None:
        """Hand an event on, or count it as lost."""
        if not isinstance(event, self._kinds):
            self._sink.write(event)
            return
        if self._failed_s is not None and self._clock() - self._failed_s < self._retry_s:
            self._lost += 1
            return
        try:
            self._sink.write(event)
        except InputError as error:
            self._lost += 1
            if self._failed_s is None:
                self._reason = str(error)
                self._warn(f"{self._reason} Recognition goes on, and it is tried again.")
            self._failed_s = self._clock()
            self.reopen()  # what is half written must not be written again
        else:
            if self._failed_s is not None:
                self._warn(f"written again, without {self._lost} events, after: {self._reason}")
                self._failed_s, self._lost = None, 0

    def reopen(self) -> None:
        """Let the sink's file go; the next event opens it again, by its name."""
        self.close()

    def close(self) -> None:
        """Close the sink, whether or not that works: it has been told already."""
        try:
            self._sink.close()
        except InputError as error:
            if self._failed_s is None:
                self._warn(str(error))
