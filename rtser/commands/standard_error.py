"""The place where commands print errors and warnings."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress


class StandardError(logging.Handler):
    """Prints each warning as one line on standard error, whatever characters it has; ignores a failure to print.

    It has its own handle, because descriptor 2 is redirected while PortAudio starts and while the live view is open.
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
        """Close the handle."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
        super().close()
