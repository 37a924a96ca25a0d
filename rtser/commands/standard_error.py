"""Where commands print their sentences: what is wrong, and warnings."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress


class StandardError(logging.Handler):
    """Prints each warning as one line on standard error, whatever stands in it; should that fail, goes on.

    It keeps a handle of its own: PortAudio's start sends descriptor 2 elsewhere for as long as it takes, and the live
    view keeps what C libraries print off the terminal.
    """

    def __init__(self) -> None:
        super().__init__()
        self._handle: int | None = None
        self.make_room: Callable[[], AbstractContextManager[None]] = nullcontext
        with suppress(OSError):
            self._handle = os.dup(2)

    def emit(self, record: logging.LogRecord) -> None:
        """Print a warning."""
        self.say(record.getMessage())

    def say(self, sentence: str) -> None:
        """Print a sentence."""
        printable = "".join(character if character.isprintable() else repr(character)[1:-1] for character in sentence)
        with self.make_room(), suppress(OSError):
            if sys.stderr:
                sys.stderr.flush()
            os.write(2 if self._handle is None else self._handle, f"rtser: {printable}\n".encode(errors="replace"))

    def close(self) -> None:
        """Let the handle go."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        super().close()
