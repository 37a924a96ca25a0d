"""What is slow to make of an audio file, kept on disk under a key of its content and of the recipe."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from train.files import replacing

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "rtser"

Arrays = dict[str, NDArray[Any]]


def cached(folder: Path, audio: Path, recipe: bytes, make: Callable[[], Arrays]) -> Arrays:
    """The arrays that `make` makes of an audio file, from the cache where they are there.

    Args:
        folder: where this kind of arrays is kept.
        audio: the file; another content is another key.
        recipe: everything else that the arrays depend on.
        make: makes them.
    """
    key = hashlib.sha256(audio.read_bytes() + recipe).hexdigest()
    kept = folder / key[:2] / f"{key}.npz"
    if kept.exists():
        with np.load(kept) as arrays:
            return dict(arrays)
    made = make()
    kept.parent.mkdir(parents=True, exist_ok=True)
    with replacing(kept) as part:
        np.savez(part, **made)  # type: ignore[arg-type]
    return made
