"""A sink whose failures do not end the run.

Packages for retries, such as tenacity, wait and call again. Here nothing may wait: events that come in the meantime
are counted and lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from rtser.errors import OutputError
from rtser.events import Event
from rtser.sinks import Sink

RETRY_S = 10.0
logger = logging.getLogger(__name__)


class RetryingSink:
    """Passes events on to a sink. After a failure it warns once, and tries again every ten seconds.

    Args:
        sink: raises OutputError if it fails.
        kinds: the events that it writes. Other events are passed on, but do not show whether it works again.
        notify: called once with a sentence about a failure.
        retry_s: pause after a failure, in seconds.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        sink: Sink,
        kinds: type[Event] | tuple[type[Event], ...] = Event,
        notify: Callable[[str], object] | None = None,
        retry_s: float = RETRY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._sink, self._kinds, self._retry_s, self._clock = sink, kinds, retry_s, clock
        self._notify = notify
        self._failed_s: float | None = None
        self._lost = self._lost_before = 0
        self._problem = ""

    def write(self, event: Event) -> None:
        """Pass an event on, or count it as lost."""
        if not isinstance(event, self._kinds):
            self._sink.write(event)
            return
        if self._failed_s is not None and self._clock() - self._failed_s < self._retry_s:
            self._lost += 1
            return
        try:
            self._sink.write(event)
        except OutputError as error:
            self._lost += 1
            if self._failed_s is None:
                self._problem = error.problem
                logger.warning("%s Recognition continues, and rtser tries to write again.", error)
                if self._notify:
                    self._notify(error.problem)
            self._failed_s = self._clock()
            self.reopen()  # a half-written buffer must not be written again
        else:
            if self._failed_s is not None:
                logger.warning("writing works again; %d events are missing after: %s.", self._lost, self._problem)
                self._lost_before += self._lost
                self._failed_s, self._lost = None, 0

    def reopen(self) -> None:
        """Close the sink's file. The next event reopens it by its name."""
        try:
            self._sink.close()
        except OutputError as error:
            if self._failed_s is None:
                logger.warning("%s", error)

    def close(self) -> None:
        """Close the sink.

        Raises:
            OutputError: the output is incomplete: events are missing, or it cannot be closed.
        """
        if self._failed_s is None:
            self._sink.close()
        else:
            self.reopen()
        if lost := self._lost_before + self._lost:
            raise OutputError(f"{lost} events are missing in an output ({self._problem})")
