"""A command in a terminal of its own, in which a test types and looks."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import threading
import time
from pathlib import Path

CONTROL = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b[()][A-Z0-9]|\x1b[=>78]")


class Typed:
    """A running command; its output is collected as it comes.

    Args:
        arguments: of rtser.
        folder: where it runs.
        size: columns and rows.
        environment: of the command; this process's own if not named.
    """

    def __init__(
        self,
        *arguments: object,
        folder: Path,
        size: tuple[int, int] = (100, 30),
        environment: dict[str, str] | None = None,
    ) -> None:
        command = [sys.executable, "-m", "rtser", *map(str, arguments)]
        variables = (environment or os.environ) | {"TERM": "xterm-256color"}
        for size_of_another_terminal in ("COLUMNS", "LINES"):
            variables.pop(size_of_another_terminal, None)
        self.process, self._terminal = pty.fork()
        if self.process == 0:
            os.chdir(folder)
            os.execvpe(command[0], command, variables)
        self.resize(*size)
        self._output = bytearray()
        self.code: int | None = None
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def __enter__(self) -> Typed:
        return self

    def __exit__(self, *_: object) -> None:
        if self.code is None:
            os.kill(self.process, signal.SIGKILL)
            os.waitpid(self.process, 0)
        self._reading.join(5)
        os.close(self._terminal)

    @property
    def text(self) -> str:
        """All that was printed so far, without colours and movements."""
        return CONTROL.sub(b"", bytes(self._output)).decode(errors="replace")

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys: str) -> None:
        """Type some keys."""
        os.write(self._terminal, keys.encode())

    def wait_for(self, *words: str, timeout_s: float = 15) -> str:
        """What was printed since the last call, once all words are in it; fails when they do not come in time."""
        begin = getattr(self, "_seen", 0)
        until_s = time.monotonic() + timeout_s
        while not all(word in self.text[begin:] for word in words):
            assert time.monotonic() < until_s, f"no {words} in {self.text[begin:][-3000:]!r}"
            time.sleep(0.05)
        self._seen = len(self.text)
        return self.text[begin:]

    def is_as_usual(self) -> bool:
        """Whether the terminal echoes and takes whole lines, as a shell leaves it to programs."""
        flags = termios.tcgetattr(self._terminal)[3]
        return bool(flags & termios.ECHO) and bool(flags & termios.ICANON)

    def wait_until(self, usual: bool, timeout_s: float = 5) -> None:
        """Wait until the terminal is as usual, or until it is not."""
        until_s = time.monotonic() + timeout_s
        while self.is_as_usual() != usual:
            assert time.monotonic() < until_s, f"as usual: {not usual}"
            time.sleep(0.02)

    def is_stopped(self) -> bool:
        """Whether the process stands still, as after Ctrl-Z."""
        return Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()[0] == "T"

    def end(self, timeout_s: float = 10) -> int:
        """The exit code, once it has ended; that of a signal is negative."""
        until_s = time.monotonic() + timeout_s
        while self.code is None:
            process, status = os.waitpid(self.process, os.WNOHANG)
            if process:
                self.code = os.waitstatus_to_exitcode(status)
            assert time.monotonic() < until_s, "it does not end"
            time.sleep(0.02)
        self._reading.join(2)
        return self.code

    def _read(self) -> None:
        try:
            while self.code is None or select.select([self._terminal], [], [], 0)[0]:
                if select.select([self._terminal], [], [], 0.05)[0]:
                    self._output += os.read(self._terminal, 65536)
        except OSError:  # the command has let the terminal go
            return
