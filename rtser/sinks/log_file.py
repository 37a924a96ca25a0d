"""A log of lines: flushed line by line, renamed when it is large, opened again when told to."""

from __future__ import annotations

import logging
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from rtser.errors import OutputError


class LogFile:
    """A text file that lines are appended to.

    Args:
        path: the file.
        max_bytes: a file that would grow beyond this is renamed ``PATH.1`` and begun anew; 0 for never.
        keep: how many renamed files are kept.
        header: first line of every new file.
        append: whether what the file holds already stays.

    Raises:
        OutputError: it cannot be written.
    """

    def __init__(self, path: Path, max_bytes: int = 0, keep: int = 1, header: str = "", append: bool = True) -> None:
        self.path = path
        try:
            self._file = _File(path, max_bytes, keep, header, append)
        except OSError as error:
            raise self._failed(error) from None

    def write(self, line: str) -> None:
        """Append a line (without its end)."""
        try:
            self._file.emit(logging.makeLogRecord({"msg": line}))
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """Let the file go; the next line opens it again, by its name."""
        try:
            self._file.close()
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path} cannot be written ({error.strerror or error})")


class _File(RotatingFileHandler):
    """The library's rotating file, which raises instead of reporting, and mends a line that was cut off."""

    def __init__(self, path: Path, max_bytes: int, keep: int, header: str, append: bool) -> None:
        self._header = header
        super().__init__(path, "a" if append else "w", max_bytes, keep, "utf-8", errors="surrogateescape")
        self.mode = "a"

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802  # the library's name
        raise  # called while the error is handled

    def _open(self) -> TextIOWrapper[Any]:
        file = super()._open()
        if file.seekable():
            if file.tell() == 0:
                file.write(f"{self._header}\n" if self._header else "")
            elif not _ends_a_line(Path(self.baseFilename)):
                file.write("\n")
            file.flush()
        return file


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read() == b"\n"
