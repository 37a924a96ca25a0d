"""Decoding by FFmpeg (the package av, extra ``media``): m4a, mp4, aac, webm, wma and others; of video, its sound."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rtser.audio.decoder import UnreadableError
from rtser.engine.contract import Float32

if TYPE_CHECKING:
    from av import AudioFrame

FORMATS = "mov,matroska,asf,aac,ac3,eac3,amr,ape,avi,caf,dts,flv,mpeg,mpegts,tta,wv,mp3,ogg,flac,wav"
"""The formats that FFmpeg may read. Playlists are not among them, because they name other files and hosts."""
SURE = ("mov", "matroska", "asf")
"""Formats that state the length of a track. In others it is an estimate."""
SLACK_S = 0.2
"""How exact their statement is."""


def _lenient_tags(version: str) -> dict[str, Any]:
    """What lets PyAV open a file whose tags are no UTF-8: an option up to version 18, nothing from 19 on."""
    return {"metadata_errors": "replace"} if int(version.partition(".")[0]) < 19 else {}


class FfmpegDecoder:
    """A file that FFmpeg knows (a `rtser.audio.decoder.Decoder`).

    Raises:
        ModuleNotFoundError: the package av is not installed.
        UnreadableError: FFmpeg does not know the file, or it holds no sound.
    """

    def __init__(self, path: Path) -> None:
        import av

        self._error: type[Exception] = av.error.FFmpegError
        try:
            options = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}
            self._container = av.open(str(path), options=options, **_lenient_tags(av.__version__))
        except (self._error, ValueError) as error:
            raise UnreadableError(_reason(error)) from None
        tracks = self._container.streams.audio
        if not tracks or not tracks[0].rate or not tracks[0].channels:
            self._container.close()
            raise UnreadableError("it holds no sound")
        self._track = tracks[0]
        self._resampler = av.AudioResampler(format="flt", layout=self._track.layout, rate=self._track.rate)
        self.sample_rate: int = self._track.rate
        self.channels: int = self._track.channels
        stated, unit = self._track.duration, self._track.time_base
        self.frames: int | None = None
        if stated and unit and self._container.format.name.split(",")[0] in SURE:
            self.frames = round(stated * unit * self.sample_rate)

    def blocks(self, most: int) -> Iterator[Float32]:
        """See `Decoder.blocks`."""
        try:
            for decoded in self._container.decode(self._track):
                yield from self._parts(decoded, most)
            yield from self._parts(None, most)
        except (self._error, ValueError) as error:
            raise UnreadableError(_reason(error)) from None

    def missing(self, frames_read: int) -> str | None:
        """See `Decoder.missing`."""
        if self.frames is not None and frames_read < self.frames - SLACK_S * self.sample_rate:
            return f"its header says {self.frames / self.sample_rate:.2f} s"
        return None

    def close(self) -> None:
        """See `Decoder.close`."""
        self._container.close()

    def _parts(self, decoded: AudioFrame | None, most: int) -> Iterator[Float32]:
        """The floats that the resampler gives for a decoded frame; for None, what it still holds."""
        for frame in self._resampler.resample(decoded):
            block = np.asarray(frame.to_ndarray(), np.float32).reshape(-1, self.channels)
            yield from (block[start : start + most] for start in range(0, len(block), most))


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).rstrip(". \n") or type(error).__name__
