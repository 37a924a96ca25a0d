"""A sink that drops out at its first failure, so that the other outputs can be finished."""

from __future__ import annotations

from collections.abc import Callable

from rtser.errors import OutputError
from rtser.events import Event
from rtser.sinks import Sink


class DroppingSink:
    """Passes events on to a sink until it fails; then ignores them.

    If a reader closes a pipe (BrokenPipeError), that is not a failure. `close` raises any other failure.

    Args:
        sink: standard output, the terminal, or a file.
        on_drop: called once when the sink drops out, such as to end the run.
        notify: called once with a sentence about a failure.
    """

    def __init__(
        self,
        sink: Sink,
        on_drop: Callable[[], object] | None = None,
        notify: Callable[[str], object] | None = None,
    ) -> None:
        self._sink, self._on_drop, self._notify = sink, on_drop, notify
        self.kinds = getattr(sink, "kinds", Event)
        self._dropped = False
        self._failure: OutputError | None = None

    def write(self, event: Event) -> None:
        """Pass an event on, unless the sink has dropped out."""
        self.attempt(lambda: self._sink.write(event))

    def close(self) -> None:
        """Close the sink.

        Raises:
            OutputError: the sink has failed.
        """
        self._try(self._sink.close)
        if self._failure:
            raise self._failure

    def attempt(self, call: Callable[[], None]) -> None:
        """Call something that writes to the sink's output, unless the sink has dropped out; treat failures alike."""
        if not self._dropped:
            self._try(call)

    def _try(self, call: Callable[[], None]) -> None:
        try:
            call()
        except BrokenPipeError:
            self._drop()
        except OutputError as error:
            self._failure = self._failure or error
            self._drop()
        except OSError as error:
            reason = error.strerror or str(error)
            self._failure = self._failure or OutputError(f"standard output cannot be written ({reason})")
            self._drop()

    def _drop(self) -> None:
        dropped, self._dropped = self._dropped, True
        if self._on_drop and not dropped:
            self._on_drop()
        if self._notify and self._failure and not dropped:
            self._notify(self._failure.problem)
