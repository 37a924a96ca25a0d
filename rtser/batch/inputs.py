"""Which recordings there are: files, folders, patterns, and the same in any file system that fsspec knows."""

from __future__ import annotations

from collections.abc import Iterable
from glob import glob
from pathlib import Path

from rtser.audio.opening import INSTALL, URL
from rtser.errors import InputError

SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aiff", ".aif", ".au", ".caf", ".w64")
VIDEOS = (".m4a", ".mp4", ".aac", ".webm", ".wma", ".mka", ".mkv", ".mov", ".3gp", ".amr")
SUFFIXES = frozenset((*SOUNDS, *VIDEOS))
"""What is taken of a folder."""


def found(names: Iterable[str]) -> list[str]:
    """The recordings that some names stand for, each once, in the order of their names.

    Args:
        names: files, folders (all recordings in them, by their suffixes), patterns (``calls/**/*.wav``), and URLs of
            fsspec with or without patterns (``s3://bucket/**/*.flac``, ``zip://*.wav::calls.zip``).

    Raises:
        InputError: a name stands for nothing, or fsspec is needed and missing, or fails.
    """
    recordings: set[str] = set()
    for name in names:
        these = _remote(name) if URL in name else _local(name)
        if not these:
            raise InputError(
                f"{name}: there is no such recording", "name files, folders, or patterns in quotation marks"
            )
        recordings.update(these)
    return sorted(recordings)


def _local(name: str) -> list[str]:
    path = Path(name)
    if path.is_dir():
        return [str(one) for one in path.rglob("*") if one.suffix.lower() in SUFFIXES and one.is_file()]
    if path.exists():
        return [name]
    return [one for one in glob(name, recursive=True) if Path(one).is_file()]  # noqa: PTH207  # absolute patterns too


def _remote(url: str) -> list[str]:
    try:
        import fsspec
    except ModuleNotFoundError:
        raise InputError(f"{url}: URLs need the package fsspec", INSTALL.format("remote")) from None
    try:
        return [_whole(url, one) for one in fsspec.open_files(url, "rb")]
    except Exception as error:  # each file system has errors of its own
        reason = str(error).strip().rstrip(".") or type(error).__name__
        raise InputError(f"{url} cannot be listed ({reason.splitlines()[0]})") from None


def _whole(url: str, one: object) -> str:
    """The URL of one file that a pattern found, with what it is inside of (``::``)."""
    inner, *outer = url.split("::")
    path = str(getattr(one, "path", ""))
    protocol = inner.split(URL)[0]
    return "::".join([path if URL in path else f"{protocol}{URL}{path}", *outer])
