"""Sound for many streams: recordings joined to one, cut into pieces beforehand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from rtser.audio.file import read_audio, sample_path
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, Float32
from rtser.errors import InputError

MOST_S = 600.0
"""How much sound of a folder is used. More would only take memory."""
SUFFIXES = {f".{name.lower()}" for name in soundfile.available_formats()} | {".opus", ".oga"}


def read_sound(folder: Path | None, seed: int = 0) -> tuple[str, Float32]:
    """What many streams take their speech from.

    Args:
        folder: of audio files, folders within it included; None for the bundled sample.
        seed: of the order of the files.

    Returns:
        what it is, in words; and whole hops of samples (n,), float32 at 16 kHz: files in random order, joined.

    Raises:
        InputError: there is no such folder, or no audio in it.
    """
    if folder is None:
        samples = read_audio(sample_path())
        return "the bundled sample", samples[: len(samples) // HOP_SAMPLES * HOP_SAMPLES]
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder", "name a folder of audio files")
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    parts: list[Float32] = []
    for number in np.random.default_rng(seed).permutation(len(paths)):
        if sum(map(len, parts)) >= MOST_S * SAMPLE_RATE:
            break
        try:
            parts.append(read_audio(paths[number]))
        except InputError:  # one that is damaged is not needed
            continue
    joined = np.concatenate([np.empty(0, np.float32), *parts])[: round(MOST_S * SAMPLE_RATE)]
    whole = joined[: len(joined) // HOP_SAMPLES * HOP_SAMPLES]
    if not len(whole):
        raise InputError(f"{folder} holds no audio files that can be read", "name a folder of audio files")
    return f"{len(whole) / SAMPLE_RATE:.0f} s of {len(parts)} files in {folder}", whole
