"""What is slow to make of a recording, kept on disk under a key of its content and of the recipe."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtser_train.data.corpora import Utterance
from rtser_train.files import replacing

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "rtser"

Arrays = dict[str, NDArray[Any]]


def cached(folder: Path, utterance: Utterance, recipe: bytes, make: Callable[[], Arrays]) -> Arrays:
    """The arrays that `make` makes of an utterance, from the cache where they are there.

    Args:
        folder: where this kind of arrays is kept.
        utterance: the recording; another content of its file, or another part of it, is another key.
        recipe: everything else that the arrays depend on.
        make: makes them.
    """
    span = f"{utterance.start_s!r}-{utterance.end_s!r}" if utterance.start_s or utterance.end_s is not None else ""
    key = hashlib.sha256(_content(utterance.path) + recipe + span.encode()).hexdigest()
    kept = folder / key[:2] / f"{key}.npz"
    if kept.exists():
        with np.load(kept) as arrays:
            return dict(arrays)
    made = make()
    kept.parent.mkdir(parents=True, exist_ok=True)
    with replacing(kept) as part:
        np.savez(part, **made)  # type: ignore[arg-type]
    return made


@lru_cache(maxsize=1)
def _content(path: Path) -> bytes:
    """The content of the last file asked for: the utterances of a long recording follow one another."""
    return path.read_bytes()
