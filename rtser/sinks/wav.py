"""Everything heard, in one WAV file."""

from __future__ import annotations

from pathlib import Path

import soundfile

from rtser.engine.features import SAMPLE_RATE, Float32
from rtser.errors import InputError

MAX_SAMPLES = (2**32 - 2**16) // 4
"""A WAV file holds 4 GiB: 18 hours."""


class WavFile:
    """The samples as the engine hears them: 16 kHz, mono, 32-bit floating point, so that no bit is lost.

    Args:
        path: the file, overwritten.

    Raises:
        InputError: it cannot be written, or is full.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._samples = 0
        try:
            path.open("wb").close()  # says why, where libsndfile only says that
            self._file = soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "FLOAT", format="WAV")
        except OSError as error:
            raise InputError(f"{path} cannot be written ({error.strerror or error}).") from None

    def hear(self, samples: Float32) -> None:
        """Append samples (n,)."""
        self._samples += len(samples)
        if self._samples > MAX_SAMPLES:
            raise InputError(f"{self.path} is full: a WAV file holds 18 hours.")
        try:
            self._file.write(samples)
        except (OSError, RuntimeError, AssertionError):  # the last where fewer were written than asked for
            raise InputError(f"{self.path} cannot be written any more; is the disk full?") from None

    def close(self) -> None:
        """Complete the file."""
        try:
            self._file.close()
        except (OSError, RuntimeError):
            raise InputError(f"{self.path} could not be completed; is the disk full?") from None
