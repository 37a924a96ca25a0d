"""Opening a sound by its name: a file, standard input, or a URL."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, BinaryIO

from rtser.audio.decoder import Decoder, UnreadableError
from rtser.audio.ffmpeg import FfmpegDecoder
from rtser.audio.libsndfile import LibsndfileDecoder
from rtser.errors import INSTALL, InputError
from rtser.settings import RawSettings

STANDARD_INPUT = "-"
URL = "://"


def shown(name: str | os.PathLike[str]) -> str:
    """The name of a sound for messages."""
    return "standard input" if str(name) == STANDARD_INPUT else str(name)


def open_sound(path: str | os.PathLike[str], raw: RawSettings | None, name: str) -> Decoder:
    """The decoder of a sound.

    Args:
        path: a path, a URL that fsspec knows (it is copied first), or ``-``: standard input, which is copied first
            unless it is raw.
        raw: what the samples are, if there is no header.
        name: its name in messages.

    Raises:
        InputError: it cannot be read, or is not an audio file.
    """
    try:
        if str(path) == STANDARD_INPUT:
            if sys.stdin is None:
                raise InputError("standard input is closed", "name a file, or write sound to it")
            return _decoder(sys.stdin.fileno(), name, raw) if raw else _copied(sys.stdin.buffer, name, raw)
        if URL in str(path):
            return _remote(str(path), name, raw)
        return _decoder(_checked(Path(path), name), name, raw)
    except PermissionError:
        raise InputError(f"{name}: no permission to read it") from None
    except OSError as error:
        raise InputError(f"{name}: it cannot be read ({error.strerror or error})") from None


def _checked(path: Path, name: str) -> Path:
    """A path that is a file with content."""
    if path.is_dir():
        raise InputError(f"{name} is a directory", "name an audio file")
    if not path.exists():
        raise InputError(f"{name}: there is no such file")
    if not path.is_file():
        raise InputError(f"{name} is not a regular file", "save the audio to a file first")
    with path.open("rb") as content:
        if not content.read(1):
            raise InputError(f"{name} is empty")
    return path


@contextmanager
def remote(url: str, wanted: str) -> Iterator[Any]:
    """The package fsspec. `wanted` says what is done with the URL. Raises InputError if fsspec is missing or fails."""
    try:
        import fsspec
    except ModuleNotFoundError:
        raise InputError(f"{url}: URLs need the package fsspec", INSTALL.format("remote")) from None
    try:
        yield fsspec
    except Exception as error:  # each file system has errors of its own
        reason = str(error).strip().rstrip(".") or type(error).__name__
        if isinstance(error, FileNotFoundError):  # also a web server that cannot be reached
            reason = "it is not there, or its server cannot be reached"
        raise InputError(f"{url} cannot be {wanted} ({reason.splitlines()[0]})") from None


def copy_remote(url: str, copy: IO[bytes]) -> None:
    """Copy what a URL names into a file; raises InputError if it cannot be read."""
    with remote(url, "read") as fsspec, fsspec.open(url, "rb") as content:
        shutil.copyfileobj(content, copy)


def _remote(url: str, name: str, raw: RawSettings | None) -> Decoder:
    return _of_copy(partial(copy_remote, url), name, raw)


def _copied(content: BinaryIO, name: str, raw: RawSettings | None) -> Decoder:
    return _of_copy(partial(shutil.copyfileobj, content), name, raw)


def _of_copy(fill: Callable[[IO[bytes]], object], name: str, raw: RawSettings | None) -> Decoder:
    """The decoder of a temporary copy, because decoders seek.

    The copy is deleted while the decoder has it open. Windows does not allow that; the copy is left there.
    """
    with TemporaryDirectory(prefix="rtser-", ignore_cleanup_errors=True) as folder:
        copy = Path(folder) / "sound"
        with copy.open("wb") as file:
            fill(file)
        if not copy.stat().st_size:
            raise InputError(f"{name} is empty", "for samples without a header, say what they are with --format")
        return _decoder(copy, name, raw)


def _decoder(path: Path | int, name: str, raw: RawSettings | None) -> Decoder:
    """Libsndfile's decoder, or FFmpeg's (if installed) for a file that libsndfile does not know."""
    advice = ""
    try:
        return LibsndfileDecoder(path, raw)
    except UnreadableError as error:
        reason = str(error)
    if raw is None and isinstance(path, Path):
        try:
            return FfmpegDecoder(path)
        except UnreadableError as error:
            reason = str(error)
        except ModuleNotFoundError:
            advice = f"for m4a, mp4, aac, webm, wma and others, {INSTALL.format('media')}"
    raise InputError(f"{name} is not an audio file that can be read ({reason})", advice)
