"""Results kept in the output folder, so that an interrupted measurement can go on."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from rtser.versions import installed_version
from rtser_train.data.cache import Arrays
from rtser_train.files import replacing

VERSION = 2
"""It increases when the same settings give another result."""


class Kept:
    """The results in one folder, each under a key of everything that it depends on.

    Args:
        folder: their folder; made with the first result.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.found = 0

    def arrays(self, name: str, depends: Mapping[str, Any], make: Callable[[], Arrays]) -> Arrays:
        """A result: read if it was made before with the same settings, else made and written.

        Args:
            name: begins the file's name.
            depends: what the result depends on, as JSON types.
            make: makes it.

        Raises:
            OutputError: it cannot be written.
        """
        versions = {"kept": VERSION, **{name: installed_version(name) for name in ("rtser", "soxr", "soundfile")}}
        text = json.dumps([versions, depends], sort_keys=True)
        path = self._folder / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz"
        try:
            with path.open("rb") as file, np.load(file) as arrays:  # np.load closes no damaged file
                found = dict(arrays)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile):  # absent, or damaged from outside
            pass
        else:
            self.found += 1
            return found
        made = make()
        with replacing(path) as part:
            np.savez_compressed(part, **made)  # type: ignore[arg-type]
        return made
