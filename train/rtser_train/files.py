"""Files that are whole or absent, whenever the program is killed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield another path to write to, of the same suffix, which takes the place of `path` once it is written."""
    part = path.with_name(f".{os.getpid()}-{path.name}")
    yield part
    part.replace(path)
