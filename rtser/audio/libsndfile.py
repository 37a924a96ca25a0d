"""Decoding by libsndfile: wav, flac, ogg, opus, mp3, aiff and others."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import soundfile

from rtser.audio.decoder import UnreadableError
from rtser.engine.contract import Float32
from rtser.settings import RawSettings

RAW = {
    "s16le": ("PCM_16", "LITTLE"),
    "s16be": ("PCM_16", "BIG"),
    "s32le": ("PCM_32", "LITTLE"),
    "f32le": ("FLOAT", "LITTLE"),
    "mulaw": ("ULAW", "FILE"),
    "alaw": ("ALAW", "FILE"),
}
"""libsndfile's names of the formats of raw samples."""
TAG_SEARCH_BYTES = 2**20


class LibsndfileDecoder:
    """A file that libsndfile knows (a `rtser.audio.decoder.Decoder`).

    Args:
        path: the file; or an open file descriptor, which stays open.
        raw: what its samples are, if it has no header.

    Raises:
        UnreadableError: libsndfile does not know it.
    """

    def __init__(self, path: Path | int, raw: RawSettings | None = None) -> None:
        how: dict[str, Any] = {}
        if raw is not None:
            subtype, endian = RAW[raw.format]
            how = {"format": "RAW", "subtype": subtype, "endian": endian}
            how |= {"samplerate": raw.rate, "channels": raw.channels}
        name = os.fsencode(path) if isinstance(path, Path) and os.name == "posix" else path
        try:
            self._file = soundfile.SoundFile(name, closefd=isinstance(path, Path), **how)
        except (soundfile.SoundFileError, TypeError, ValueError) as error:
            raise UnreadableError(_reason(error)) from None
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        self._states_length = self._file.format != "MP3" or (isinstance(path, Path) and _has_tag(path))
        known = self._file.seekable() and 0 < self._file.frames < 2**62
        self.frames: int | None = self._file.frames if known else None

    def blocks(self, most: int) -> Iterator[Float32]:
        """See `Decoder.blocks`."""
        try:
            while len(block := self._file.read(most, dtype="float32", always_2d=True)):
                yield block
        except soundfile.SoundFileError as error:
            raise UnreadableError(_reason(error)) from None

    def missing(self, frames_read: int) -> str | None:
        """See `Decoder.missing`."""
        if self.frames is not None and frames_read < self.frames and self._states_length:
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


def _has_tag(path: Path) -> bool:
    """Whether an MP3 states its length (in a Xing, Info or VBRI tag). Otherwise its frame count is an estimate."""
    with path.open("rb") as raw:
        beginning = raw.read(TAG_SEARCH_BYTES)
    return any(tag in beginning for tag in (b"Xing", b"Info", b"VBRI"))


def _open_ended(line: str) -> bool:
    """Whether a data chunk's length is the mark of a writer that did not know the length (a pipe)."""
    number = re.search(r"\d+", line.split("(should be")[0], re.ASCII)
    stated = int(number[0]) if number else 0
    return stated == 0 or stated >= 2**31 - math.floor(1e6)


def _reason(error: Exception) -> str:
    text = getattr(error, "error_string", None) or str(error)
    return text.rstrip(". \n") or type(error).__name__
