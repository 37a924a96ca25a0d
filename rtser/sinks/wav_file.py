"""All sound of a run in one WAV file."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import soundfile

from rtser.engine.contract import SAMPLE_RATE, Float32
from rtser.errors import OutputError
from rtser.events import Event

MAX_SAMPLES = (2**32 - 2**16) // 4
"""A WAV file holds 4 GiB: 18 hours."""
logger = logging.getLogger(__name__)


class WavFile:
    """Writes the samples as the engine gets them: 16 kHz, mono, 32-bit floating point, without any loss.

    If writing fails later, it warns, and the run continues without the file. `close` then raises.

    Args:
        path: the file, overwritten.
        notify: called once with a sentence about a failure.

    Raises:
        OutputError: the file cannot be written at the start.
    """

    def __init__(self, path: Path, notify: Callable[[str], object] | None = None) -> None:
        self.path, self._notify = path, notify
        self._samples = 0
        self._failure: OutputError | None = None
        try:
            path.open("wb").close()  # its error gives a reason, unlike libsndfile's
            self._file = soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "FLOAT", format="WAV")
        except (OSError, RuntimeError) as error:
            raise OutputError(f"{path} cannot be written ({getattr(error, 'strerror', None) or error})") from None

    def write_audio(self, samples: Float32, start: int) -> None:  # noqa: ARG002  # the file leaves gaps out
        """Append samples (n,)."""
        if self._failure:
            return
        self._samples += len(samples)
        try:
            if self._samples > MAX_SAMPLES:
                raise OutputError(f"{self.path} is full: a WAV file holds 18 hours")
            self._file.write(samples)
        except (
            OutputError,
            OSError,
            RuntimeError,
            AssertionError,
        ) as error:  # AssertionError: fewer samples were written than given
            full = OutputError(f"{self.path} cannot be written to its end", "check whether the disk is full")
            self._failure = error if isinstance(error, OutputError) else full
            logger.warning("%s Recognition continues without it.", self._failure)
            self._close()
            if self._notify:
                self._notify(self._failure.problem)

    def write(self, event: Event) -> None:
        """Ignore an event."""

    def close(self) -> None:
        """Complete the file.

        Raises:
            OutputError: the file is incomplete.
        """
        self._close()
        if self._failure:
            raise self._failure

    def _close(self) -> None:
        try:
            self._file.close()
        except (OSError, RuntimeError):
            full = OutputError(f"{self.path} could not be completed", "check whether the disk is full")
            self._failure = self._failure or full
