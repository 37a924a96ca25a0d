"""Keeps on disk what is slow to compute from a recording; the key is the recording's content and the recipe."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtser_train.data.corpora import Recording
from rtser_train.files import replacing, written_ns
from rtser_train.memo import last_of_each_thread

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "rtser"

Arrays = dict[str, NDArray[Any]]


def cached(folder: Path, recording: Recording, recipe: bytes, make: Callable[[], Arrays]) -> Arrays:
    """The arrays that `make` makes of a recording, from the cache if they are there; see `kept`."""
    with np.load(kept(folder, recording, recipe, make)) as arrays:
        return dict(arrays)


def kept(folder: Path, recording: Recording, recipe: bytes, make: Callable[[], Arrays]) -> Path:
    """The file (.npz) of the arrays that `make` makes of a recording; it is made if it is missing.

    Args:
        folder: the folder for this kind of arrays.
        recording: what they are made of; other content, or another part of the file, gives another key.
        recipe: everything else that the arrays depend on.
        make: makes them.
    """
    span = f"{recording.start_s!r}-{recording.end_s!r}" if recording.start_s or recording.end_s is not None else ""
    key = hashlib.sha256(_content(recording.path, written_ns(recording.path)) + recipe + span.encode()).hexdigest()
    file = folder / key[:2] / f"{key}.npz"
    if not file.exists():
        made = make()
        with replacing(file) as part:
            np.savez(part, **made)  # type: ignore[arg-type]
    return file


@last_of_each_thread
def _content(path: Path, written_ns: int) -> bytes:  # noqa: ARG001  # a rewritten file is read again
    """The content of the last requested file: the utterances of a long recording follow one another."""
    return path.read_bytes()
