"""Decoding by libsndfile: wav, flac, ogg, opus, mp3, aiff and others."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

import soundfile

from rtser.audio.decoder import UnreadableError
from rtser.engine.contract import Float32

TAG_SEARCH_BYTES = 2**20


class LibsndfileDecoder:
    """A file that libsndfile knows (a `rtser.audio.decoder.Decoder`).

    Raises:
        UnreadableError: libsndfile does not know it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = soundfile.SoundFile(os.fsencode(path) if os.name == "posix" else path)
        except (soundfile.SoundFileError, TypeError, ValueError) as error:
            raise UnreadableError(_reason(error)) from None
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self.frames: int | None = self._file.frames if 0 < self._file.frames < 2**62 else None

    def blocks(self, most: int) -> Iterator[Float32]:
        """See `Decoder.blocks`."""
        try:
            while len(block := self._file.read(most, dtype="float32", always_2d=True)):
                yield block
        except soundfile.SoundFileError as error:
            raise UnreadableError(_reason(error)) from None

    def missing(self, frames_read: int) -> str | None:
        """See `Decoder.missing`."""
        if self.frames is not None and frames_read < self.frames and self._length_is_known():
            return f"its header says {self.frames / self.sample_rate:.2f} s"
        for line in self._file.extra_info.splitlines():
            if line.startswith("Ogg: Last page lacks an end-of-stream bit"):
                return "its last page is missing"
            if line.lstrip().startswith(("data :", "SSND :")) and "(should be" in line and not _open_ended(line):
                return "its header says more audio than there is"
        return None

    def close(self) -> None:
        """See `Decoder.close`."""
        self._file.close()

    def _length_is_known(self) -> bool:
        """Whether the frame count is the writer's: of an MP3 without a Xing, Info or VBRI tag it is an estimate."""
        if self._file.format != "MP3":
            return True
        with self._path.open("rb") as raw:
            beginning = raw.read(TAG_SEARCH_BYTES)
        return any(tag in beginning for tag in (b"Xing", b"Info", b"VBRI"))


def _open_ended(line: str) -> bool:
    """Whether a data chunk's stated length is the mark of a writer that could not know it (a pipe)."""
    stated = int("".join(filter(str.isdigit, line.split("(should be")[0])) or 0)
    return stated == 0 or stated >= 2**31 - math.floor(1e6)


def _reason(error: Exception) -> str:
    text = getattr(error, "error_string", None) or str(error)
    return text.rstrip(". \n") or type(error).__name__
