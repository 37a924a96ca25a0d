"""Audio files: every format that libsndfile or FFmpeg reads, any channel count, 8 to 192 kHz, read in blocks."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np

from rtser.audio.decoder import UnreadableError
from rtser.audio.headers import header_of
from rtser.audio.opening import open_sound, shown
from rtser.audio.resample import MonoResampler
from rtser.engine.contract import MAX_SAMPLE, Float32
from rtser.errors import InputError
from rtser.settings import RawSettings

logger = logging.getLogger("rtser")
MIN_RATE = 8_000
MAX_RATE = 192_000
BLOCK_S = 0.48
"""Length of a decoded block in seconds: 8 hops."""
MAX_BLOCK_VALUES = 2**20
"""Most values of a block over all its channels: 4 MiB."""


class AudioFile:
    """An audio file as blocks of mono float32 samples at 16 kHz (a `rtser.audio.source.Source`).

    Args:
        path: the file; or a URL, or ``-``: standard input (`open_sound`).
        channel: which channel to use, counted from 0; None for the mean of all.
        raw: what the samples are, if there is no header.
        block_s: length of a block in seconds.
        name: its name in messages and events; None for its path.

    Attributes:
        name: the path as text; ``standard input``.
        sample_rate: the file's own rate in Hz.
        channels: its channel count.
        duration_s: length that its header states, in seconds; None if the header does not know.

    Raises:
        InputError: the file is missing, unreadable, not audio, or out of the supported range.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        channel: int | None = None,
        raw: RawSettings | None = None,
        block_s: float = BLOCK_S,
        name: str | None = None,
    ) -> None:
        self.name, self.trouble, self._block_s = name or shown(path), "", block_s
        self._decoder, self._raw = open_sound(path, raw, self.name), raw
        self.sample_rate: int = self._decoder.sample_rate
        self.channels: int = self._decoder.channels
        stated = self._decoder.frames
        self.duration_s: float | None = stated / self.sample_rate if stated else None
        try:
            if problem := check_rate(self.sample_rate):
                raise InputError(f"{self.name}: {problem}", "resample it first")
            if channel is not None and not 0 <= channel < self.channels:
                raise InputError(f"{self.name}: there is no channel {channel} (it has {self.channels}, counted from 0)")
        except InputError:
            self._decoder.close()
            raise
        self._channel = channel

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._decoder.close()

    def chunks(self) -> Iterator[Float32]:
        """Yield the file once, in blocks of at most about 0.5 s, shape (n,), float32, mono, 16 kHz.

        Raises:
            InputError: a sample is NaN, infinite or beyond `MAX_SAMPLE`; the file is damaged; or it is shorter than its
                header says. All that could be read has been yielded by then.
        """
        resampler = MonoResampler(self.name, self.sample_rate, self._channel)
        frames_read = 0
        block_frames = min(round(self._block_s * self.sample_rate), MAX_BLOCK_VALUES // self.channels)
        damage: str | None = None
        try:
            for block in self._decoder.blocks(block_frames):
                if self._raw and not frames_read and (header := header_of(block, self._raw)):
                    logger.warning("%s has a header (%s); --format takes it for sound.", self.name, header)
                mono = resampler.mix(block)
                sound = np.abs(mono) <= MAX_SAMPLE
                if not sound.all():
                    at_s = (frames_read + int(sound.argmin())) / self.sample_rate
                    damage = f"NaN, infinity or a value beyond {MAX_SAMPLE} times full scale at {at_s:.3f} s"
                    mono = mono[: int(sound.argmin())]
                frames_read += len(mono)
                yield resampler.resample(mono)
                if damage:
                    break
        except UnreadableError as error:
            damage = str(error)
        yield resampler.flush()
        if damage is None:
            damage = self._decoder.missing(frames_read)
        if damage is not None:
            used = f"only its first {frames_read / self.sample_rate:.2f} s are used"
            raise InputError(f"{self.name}: the file is damaged or cut short ({damage}), and {used}")

    def lag_s(self) -> None:
        """A file is not live."""


def check_rate(sample_rate: int) -> str:
    """What is wrong with a sample rate in Hz; empty if nothing is."""
    inside = MIN_RATE <= sample_rate <= MAX_RATE
    return "" if inside else f"sample rate {sample_rate} Hz is outside {MIN_RATE} to {MAX_RATE} Hz"


def read_audio(path: str | os.PathLike[str], channel: int | None = None) -> Float32:
    """A whole file at once, shape (n,), float32, mono, 16 kHz: `AudioFile.chunks` joined."""
    with AudioFile(path, channel) as audio:
        return np.concatenate([np.empty(0, np.float32), *audio.chunks()])


def sample_path() -> Path:
    """The bundled sample: 22.4 s of synthetic speech and pauses."""
    return Path(str(files("rtser") / "samples" / "demo.flac"))
