"""Files that are written whole or not at all, even if the program is killed.

The package for this, atomicwrites, is no longer maintained.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from rtser.errors import OutputError


@contextmanager
def replacing(path: Path, advice: str = "") -> Iterator[Path]:
    """Yield another path with the same suffix to write to. It replaces `path` once it is written.

    The folder is made if it is missing. Threads and processes may write the same file at the same time: the last
    one wins. After an exception nothing is left.

    Args:
        path: the file to write.
        advice: what to do if it cannot be written.

    Raises:
        OutputError: the file cannot be written.
    """
    part = path.with_name(f".{uuid4().hex}{path.suffix}")
    try:
        if path.exists() and not path.is_file():
            raise OutputError(f"{path} cannot be replaced, because it is not a regular file", "name another file")
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror or error})", advice) from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
