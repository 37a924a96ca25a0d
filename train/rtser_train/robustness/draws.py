"""Chance in a measurement: every draw follows from the seed and from what it is for, and from nothing else."""

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
"""So many pieces of noise are drawn until one is not silent."""
SILENT = 1e-5
"""RMS of a piece of noise below which it counts as silent (-100 dB)."""


@dataclass(frozen=True)
class Material:
    """What is drawn from.

    Attributes:
        seed: of every draw.
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
    """What one utterance meets by chance.

    Args:
        material: what is drawn from.
        words: what the draw is for: a group of conditions, a corpus, a recording. So an utterance meets the same piece
            of noise at each level of noise, with each model, whatever else is measured.
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
