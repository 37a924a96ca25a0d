"""A log of lines. It is flushed line by line, renamed when it is large, and reopened on request."""

from __future__ import annotations

import logging
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from rtser.errors import OutputError


class LogFile:
    """A text file to which lines are appended.

    Args:
        path: the file.
        max_bytes: a file that would exceed this size is renamed ``PATH.1``, and a new one begins; 0 means never.
        keep: number of renamed files to keep.
        header: first line of every new file.
        append: whether to keep the file's present content.

    Raises:
        OutputError: the file cannot be written, or holds a table with another header.
    """

    def __init__(self, path: Path, max_bytes: int = 0, keep: int = 1, header: str = "", append: bool = True) -> None:
        self.path = path
        try:
            if append and header and _first_line(path) not in ("", header):
                raise OutputError(f"{path} holds a table with other columns", "name another file, or move this one")
            self._file = _File(path, max_bytes, keep, header, append)
        except OSError as error:
            raise self._failed(error) from None

    @property
    def opening(self) -> str:
        """A line that is written whenever the file is reopened or a new one begins; empty for no line."""
        return self._file.opening

    @opening.setter
    def opening(self, line: str) -> None:
        self._file.opening = line

    def write(self, line: str) -> None:
        """Append a line (without its line end)."""
        try:
            self._file.emit(logging.makeLogRecord({"msg": line}))
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """Close the file. The next line reopens it by its name."""
        try:
            self._file.close()
        except OSError as error:
            raise self._failed(error) from None

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path} cannot be written ({error.strerror or error})")


class _File(RotatingFileHandler):
    """The library's rotating file, changed to raise errors, and to end a line that was cut off."""

    def __init__(self, path: Path, max_bytes: int, keep: int, header: str, append: bool) -> None:
        self._header, self.opening = header, ""
        super().__init__(path, "a" if append else "w", max_bytes, keep, "utf-8", errors="surrogateescape")
        self.mode = "a"

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802  # the library's name
        raise  # logging calls this while it handles the error

    def _open(self) -> TextIOWrapper[Any]:
        file = super()._open()
        if file.seekable():
            if file.tell() == 0:
                file.write(f"{self._header}\n" if self._header else "")
            elif not _ends_a_line(Path(self.baseFilename)):
                file.write("\n")
            file.write(f"{self.opening}\n" if self.opening else "")
            file.flush()
        return file


def _first_line(path: Path) -> str:
    """The first line of a regular file; empty if there is none."""
    if not path.is_file():
        return ""
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        return file.readline().rstrip("\n")


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, 2)
        return file.read() == b"\n"
