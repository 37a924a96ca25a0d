"""Random draws in a measurement: every draw depends on the seed and on its purpose, and on nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtser.audio.file import read_audio
from rtser.errors import InputError
from rtser_train.data.acoustics import Samples

TRIES = 50
"""Maximum number of pieces of noise that are drawn to find one that is not silent."""
SILENT = 1e-5
"""RMS of a piece of noise below which it counts as silent (-100 dB)."""


@dataclass(frozen=True)
class Material:
    """What is drawn from.

    Attributes:
        seed: seed of every draw.
        noise: files of the held-out third of a folder of noise; empty without one.
        rooms: files with impulse responses; empty without them.
    """

    seed: int
    noise: tuple[Path, ...] = ()
    rooms: tuple[Path, ...] = ()


def generator(seed: int, *words: str) -> np.random.Generator:
    """A generator of its own for each seed and purpose, so that no draw depends on what else is measured."""
    return np.random.default_rng([seed, *hashlib.sha256("\0".join(words).encode()).digest()])


class Draw:
    """The random draws for one utterance.

    Args:
        material: what is drawn from.
        words: the purpose: a group of conditions, a corpus, a recording. So an utterance gets the same piece of noise
            at each level of noise and with each model, whatever else is measured.
    """

    def __init__(self, material: Material, *words: str) -> None:
        self._material, self.rng = material, generator(material.seed, *words)

    def noise(self, length: int) -> Samples:
        """A random piece of a random noise recording, (length,), float32; shorter recordings are repeated.

        Raises:
            InputError: a file cannot be read, or all pieces are silent.
        """
        for _ in range(TRIES):
            samples = self._one_of(self._material.noise)
            if len(samples) > length:
                start = int(self.rng.integers(len(samples) - length + 1))
                piece = samples[start : start + length]
            else:
                turned = np.roll(samples, -int(self.rng.integers(max(1, len(samples)))))
                piece = np.resize(turned, length)
            if length and float(np.sqrt(np.mean(np.square(piece, dtype=np.float64)))) > SILENT:
                return piece
        raise InputError("the held-out noise recordings hold hardly any sound", "name another folder with --noise")

    def room(self) -> Samples:
        """A random impulse response, (n,), float32; InputError where its file cannot be read."""
        return self._one_of(self._material.rooms)

    def _one_of(self, files: Sequence[Path]) -> Samples:
        return read_audio(files[int(self.rng.integers(len(files)))])
