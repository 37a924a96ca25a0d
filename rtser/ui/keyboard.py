"""Keys that are typed while the live view uses the terminal.

A separate thread waits for them in `select`. Libraries such as readchar wait in `read`, which cannot be ended, and
they change the terminal's modes for each key.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress

try:
    import termios
except ImportError:  # Windows: keys are not offered there
    termios = None  # type: ignore[assignment]

JOIN_S = 0.5
BACKGROUND_S = 0.5
SEQUENCES = {b"\x1b[A": "up", b"\x1bOA": "up", b"\x1b[B": "down", b"\x1bOB": "down"}
logger = logging.getLogger("rtser")
_modes: list[tuple[int, list[object]]] = []
"""The terminals that are changed at present, with their earlier modes."""


class Keyboard:
    """Standard input without echo, key by key; only if it is a terminal and this program is in its foreground.

    The keys that send signals, such as Ctrl-C, stay as they are.

    Args:
        pressed: called with each key, on the keyboard's thread: a letter, ``up``, ``down``, ``enter`` or ``escape``.
            With None, keys are not read, but their echo is off (^C would damage the view).
    """

    def __init__(self, pressed: Callable[[str], None] | None = None) -> None:
        self._pressed = pressed
        self._thread: threading.Thread | None = None
        self._wake: tuple[int, int] | None = None
        self._own: tuple[int, list[object]] | None = None

    def open(self) -> None:
        """Change the terminal's modes, and start to read."""
        if termios is None:
            return
        with suppress(OSError, ValueError, AttributeError, termios.error):
            keyboard = sys.stdin.fileno()
            if not (os.isatty(keyboard) and in_foreground()):
                return
            before, silent = termios.tcgetattr(keyboard), termios.tcgetattr(keyboard)
            silent[3] &= ~termios.ECHO
            if self._pressed:
                silent[3] &= ~termios.ICANON
                silent[6][termios.VMIN], silent[6][termios.VTIME] = 1, 0
            self._own = keyboard, before
            _modes.append(self._own)
            termios.tcsetattr(keyboard, termios.TCSANOW, silent)
            if self._pressed:
                self._wake = os.pipe()
                self._thread = threading.Thread(target=self._read, args=[keyboard, self._wake[0]], daemon=True)
                self._thread.start()

    def close(self) -> None:
        """Stop reading, and restore the terminal's modes. May be called twice, also by the keyboard's own thread."""
        if self._wake:
            os.write(self._wake[1], b"x")
            if self._thread and self._thread is not threading.current_thread():
                self._thread.join(JOIN_S)
            if self._thread and not self._thread.is_alive():
                for end in self._wake:
                    os.close(end)
            self._wake = self._thread = None
        if self._own:
            _give_back(self._own)
            self._own = None

    def _read(self, keyboard: int, woken: int) -> None:
        assert self._pressed
        signal.pthread_sigmask(
            signal.SIG_BLOCK, {signal.SIGTTIN}
        )  # so a read in the background fails, and does not stop the program
        while True:
            ready, _, _ = select.select([keyboard, woken], [], [])
            if woken in ready:
                return
            try:
                typed = os.read(keyboard, 64)
            except OSError:
                typed = b""
            if (
                not typed and select.select([woken], [], [], BACKGROUND_S)[0]
            ):  # in the background, or the terminal is gone
                return
            for key in keys_of(typed):
                try:
                    self._pressed(key)
                except Exception as error:  # the other keys must work on, above all `q`
                    logger.exception("key %s failed (%s)", key, error)


def keys_of(typed: bytes) -> Iterator[str]:
    """The keys in the bytes that a terminal sends; unknown sequences are left out."""
    at = 0
    while at < len(typed):
        rest = typed[at:]
        if rest[:1] == b"\x1b" and rest[1:2] in (b"[", b"O"):
            end = next((n for n, byte in enumerate(rest[2:], 3) if 0x40 <= byte <= 0x7E), len(rest))
            if known := SEQUENCES.get(rest[:end]):
                yield known
            at += end
            continue
        at += 1
        if rest[:1] == b"\x1b":
            yield "escape"
        elif rest[:1] in (b"\r", b"\n"):
            yield "enter"
        elif 0x20 <= rest[0] < 0x7F:
            yield chr(rest[0])


def restore_modes() -> None:
    """Restore the modes of all terminals without waiting, for a forced end of the program."""
    for own in tuple(_modes):
        _give_back(own)


def _give_back(own: tuple[int, list[object]]) -> None:
    """Restore a terminal's modes, and drop keys that nobody has read.

    TCSAFLUSH would do both, but it waits until all output is written: for ever if the output is stopped (Ctrl-S).
    """
    with suppress(OSError, ValueError, termios.error):
        termios.tcsetattr(own[0], termios.TCSANOW, own[1])  # type: ignore[arg-type]
        termios.tcflush(own[0], termios.TCIFLUSH)
    with suppress(ValueError):  # another thread has restored it too
        _modes.remove(own)


def has_keys() -> bool:
    """Whether standard input is a terminal whose keys can be read."""
    return termios is not None and sys.stdin is not None and sys.stdin.isatty()


def in_foreground() -> bool:
    """Whether this program is in the foreground of its terminal; true if there is no terminal."""
    try:
        return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
    except (OSError, ValueError, AttributeError):
        return True
