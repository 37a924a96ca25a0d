"""Files that are written completely or not at all (`rtser.files`), and the times of writing."""

from __future__ import annotations

from pathlib import Path

from rtser.files import replacing

__all__ = ["replacing", "written_ns"]


def written_ns(path: Path) -> int:
    """When a file was last written, in ns since 1970; 0 if there is no file. Caches of the content use it as a key."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
