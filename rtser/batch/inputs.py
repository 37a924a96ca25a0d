"""The recordings of a batch: files, folders and patterns, also in any file system that fsspec knows."""

from __future__ import annotations

import os
from collections.abc import Iterable
from glob import glob, has_magic
from pathlib import Path

from rtser.audio.opening import URL, remote
from rtser.errors import InputError

SOUNDS = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aiff", ".aif", ".au", ".caf", ".w64")
VIDEOS = (".m4a", ".mp4", ".aac", ".webm", ".wma", ".mka", ".mkv", ".mov", ".3gp", ".amr")
SUFFIXES = frozenset((*SOUNDS, *VIDEOS))
"""Suffixes of the files that are used from a folder."""


def found(names: Iterable[str]) -> list[str]:
    """The recordings that match some names, each once, sorted by name.

    Args:
        names: files, folders (all recordings in them, by their suffixes), patterns (``calls/**/*.wav``), and URLs of
            fsspec with or without patterns (``s3://bucket/**/*.flac``, ``zip://*.wav::calls.zip``).

    Raises:
        InputError: a name matches nothing, or fsspec is needed and is missing or fails.
    """
    recordings: set[str] = set()
    for name in names:
        these = _remote(name) if URL in name else _local(name)
        if not these:
            empty = URL not in name and Path(name).is_dir()
            problem = f"{name}: {'no recordings are in it' if empty else 'there is no such recording'}"
            raise InputError(problem, "name files, folders, or patterns in quotation marks")
        recordings.update(these)
    return sorted(recordings)


def stamp(name: str) -> str:
    """A text that changes when a local recording changes; empty for a URL."""
    if URL in name:
        return ""
    try:
        about = Path(name).stat()
    except OSError:
        return ""
    return f"{about.st_size} {about.st_mtime_ns}"


def _local(name: str) -> list[str]:
    path = Path(name).absolute()
    if path.is_dir():
        if not os.access(path, os.R_OK | os.X_OK):
            raise InputError(f"{name}: no permission to read this folder")
        return [str(one) for one in path.rglob("*") if _is_recording(one.name) and one.is_file()]
    if path.exists():
        return [os.path.normpath(path)]
    return [os.path.normpath(one) for one in glob(str(path), recursive=True) if Path(one).is_file()]  # noqa: PTH207


def _remote(url: str) -> list[str]:
    """The recordings of a URL: all in a folder, those that match a pattern, or the URL itself."""
    first, *inside = url.split("::")
    with remote(url, "listed") as fsspec:
        system, path = fsspec.core.url_to_fs(url)
        if has_magic(first):
            found = system.glob(path)
        elif system.isdir(path):
            found = [one for one in system.find(path) if _is_recording(one)]
        else:
            return [url] if system.exists(path) else []
    begin = first[: len(first) - len(path)] if first.endswith(path) else first.split(URL)[0] + URL
    if first.split(URL)[0] in ("http", "https"):
        begin = ""
    return ["::".join([begin + one if begin else one, *inside]) for one in found]


def _is_recording(name: str) -> bool:
    return not name.rpartition("/")[2].startswith(".") and Path(name).suffix.lower() in SUFFIXES
