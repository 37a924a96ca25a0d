"""Audio files: every format libsndfile reads, any channel count, 8 to 192 kHz, read in blocks."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np
import soundfile

from rtser.audio.resample import MonoResampler
from rtser.engine.contract import MAX_SAMPLE, Float32
from rtser.errors import InputError

MIN_RATE = 8_000
MAX_RATE = 192_000
BLOCK_S = 0.48
"""Length of a decoded block in seconds: 8 hops."""
TAG_SEARCH_BYTES = 2**20
MAX_BLOCK_VALUES = 2**20
"""Most values of a block over all its channels: 4 MiB."""


class AudioFile:
    """An audio file as blocks of mono float32 samples at 16 kHz (a `rtser.audio.source.Source`).

    Args:
        path: the file.
        channel: which channel to use, counted from 0; None for the mean of all.

    Attributes:
        name: the path as text.
        sample_rate: the file's own rate in Hz.
        channels: its channel count.
        duration_s: length that its header states, in seconds; None where the header does not know.

    Raises:
        InputError: the file is missing, unreadable, not audio, or out of the supported range.
    """

    def __init__(self, path: str | os.PathLike[str], channel: int | None = None) -> None:
        self.path, self.name, self.trouble = Path(path), str(path), ""
        self._file = _open(self.path)
        self.sample_rate: int = self._file.samplerate
        self.channels: int = self._file.channels
        known = 0 < self._file.frames < 2**62
        self.duration_s: float | None = self._file.frames / self.sample_rate if known else None
        try:
            if problem := check_rate(self.sample_rate):
                raise InputError(f"{self.path}: {problem}", "resample it first")
            if channel is not None and not 0 <= channel < self.channels:
                raise InputError(f"{self.path}: there is no channel {channel} (it has {self.channels}, counted from 0)")
        except InputError:
            self._file.close()
            raise
        self._channel = channel

    def __enter__(self) -> AudioFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def chunks(self) -> Iterator[Float32]:
        """Yield the file once, in blocks of at most about 0.5 s, shape (n,), float32, mono, 16 kHz.

        Raises:
            InputError: on samples that are no sound (NaN, infinite, beyond `MAX_SAMPLE`), on damage, and at the end of
                a file that is shorter than its header says; all that could be read has been yielded by then.
        """
        resampler = MonoResampler(self.sample_rate, self._channel)
        frames_read = 0
        block_frames = min(round(BLOCK_S * self.sample_rate), MAX_BLOCK_VALUES // self.channels)
        damage: str | None = None
        while True:
            try:
                block = self._file.read(block_frames, dtype="float32", always_2d=True)
            except soundfile.SoundFileError as error:
                damage = _reason(error)
                break
            if len(block) == 0:
                break
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
        yield resampler.flush()
        if damage is None:
            damage = self._missing(frames_read)
        if damage is not None:
            used = f"only its first {frames_read / self.sample_rate:.2f} s are used"
            raise InputError(f"{self.path}: the file is damaged or cut short ({damage}), and {used}")

    def lag_s(self) -> None:
        """A file is not live."""

    def _missing(self, frames_read: int) -> str | None:
        """What is missing of the length that the header states, or None."""
        if self.duration_s is not None and frames_read < self._file.frames and self._length_is_known():
            return f"its header says {self.duration_s:.2f} s"
        for line in self._file.extra_info.splitlines():
            if line.startswith("Ogg: Last page lacks an end-of-stream bit"):
                return "its last page is missing"
            if line.lstrip().startswith(("data :", "SSND :")) and "(should be" in line and not _open_ended(line):
                return "its header says more audio than there is"
        return None

    def _length_is_known(self) -> bool:
        """Whether the frame count is the writer's: of an MP3 without a Xing, Info or VBRI tag it is an estimate."""
        if self._file.format != "MP3":
            return True
        with self.path.open("rb") as raw:
            beginning = raw.read(TAG_SEARCH_BYTES)
        return any(tag in beginning for tag in (b"Xing", b"Info", b"VBRI"))


def check_rate(sample_rate: int) -> str:
    """What is wrong with a sample rate in Hz; empty where nothing is."""
    inside = MIN_RATE <= sample_rate <= MAX_RATE
    return "" if inside else f"sample rate {sample_rate} Hz is outside {MIN_RATE} to {MAX_RATE} Hz"


def read_audio(path: str | os.PathLike[str], channel: int | None = None) -> Float32:
    """A whole file at once, shape (n,), float32, mono, 16 kHz: `AudioFile.chunks` joined."""
    with AudioFile(path, channel) as audio:
        return np.concatenate([np.empty(0, np.float32), *audio.chunks()])


def sample_path() -> Path:
    """The bundled sample: 20 s of synthetic speech and pauses."""
    return Path(str(files("rtser") / "samples" / "demo.flac"))


def _open(path: Path) -> soundfile.SoundFile:
    try:
        if path.is_dir():
            raise InputError(f"{path} is a directory", "name an audio file")
        if not path.exists():
            raise InputError(f"{path}: there is no such file")
        if not path.is_file():
            raise InputError(f"{path} is not a regular file", "save the audio to a file first")
        with path.open("rb") as raw:
            if not raw.read(1):
                raise InputError(f"{path} is empty")
        return soundfile.SoundFile(os.fsencode(path) if os.name == "posix" else path)
    except PermissionError:
        raise InputError(f"{path}: no permission to read it") from None
    except OSError as error:
        raise InputError(f"{path}: it cannot be read ({error.strerror or error})") from None
    except (soundfile.SoundFileError, TypeError, ValueError) as error:
        raise InputError(f"{path} is not an audio file that can be read ({_reason(error)})") from None


def _open_ended(line: str) -> bool:
    """Whether a data chunk's stated length is the mark of a writer that could not know it (a pipe)."""
    stated = int("".join(filter(str.isdigit, line.split("(should be")[0])) or 0)
    return stated == 0 or stated >= 2**31 - math.floor(1e6)


def _reason(error: Exception) -> str:
    text = getattr(error, "error_string", None) or str(error)
    return text.rstrip(". \n") or type(error).__name__
