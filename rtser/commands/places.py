"""Where the files of recordings lie: no two recordings share a file, and no file lies outside the folder."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import TypeVar
from urllib.parse import unquote

Key = TypeVar("Key", bound=Hashable)
AnyPath = TypeVar("AnyPath", bound=PurePath)

NAMELESS = "recording"
"""The name of a recording whose path or URL has none."""


def stems(places: Mapping[Key, Path], mark: str) -> dict[Key, Path]:
    """The path at which the names of a recording's files begin, unlike that of any other, from the recording's path.

    It is the path without its suffix, or with it where others would be the same, and the mark. Equal paths, as two
    URLs may have, are numbered in their order: ``call``, ``call-2``.

    Args:
        places: the path of each recording.
        mark: end of the path.
    """
    begins = {place: place.with_name(place.stem + mark) for place in places.values()}
    while repeated := _repeated(begins.values()):
        begins |= {place: place.with_name(place.name + mark) for place, begin in begins.items() if begin in repeated}
    taken, used = set(begins.values()), set[Path]()
    found = {}
    for key, place in places.items():
        begin, number = begins[place], 1
        while begin in used:
            number += 1
            numbered = begins[place].with_name(f"{begins[place].name.removesuffix(mark)}-{number}{mark}")
            begin = begin if numbered in taken else numbered
        used.add(begin)
        found[key] = begin
    return found


def _repeated(paths: Iterable[Path]) -> set[Path]:
    return {path for path, count in Counter(paths).items() if count > 1}


def told_apart(places: Sequence[AnyPath]) -> list[PurePath]:
    """Absolute paths, each from the deepest folder that holds all.

    Paths on several drives of Windows have no such folder; the drive's letter is their first part then.
    """
    for folder in places[0].parents if places else ():
        if all(one.is_relative_to(folder) for one in places):
            return [one.relative_to(folder) for one in places]
    return [type(one)(re.sub(r"[\\/:?]+", " ", one.drive).strip(), *one.parts[1:]) for one in places]


def url_parts(url: str) -> list[str]:
    """The folders and the name in a URL; for a file inside an archive, the archive's come first.

    No part leads out of a folder on any system, and none has characters that cannot be in a path.
    """
    whole = "/".join(re.split(r"[?#]", one.rpartition("://")[2])[0] for one in reversed(url.split("::")))
    parts = re.split(r"[/\\]", re.sub(r"[\x00-\x1f\x7f-\x9f]", "", unquote(whole)))
    safe = [part.replace(":", "_").rstrip(". ") for part in parts]  # Windows ignores dots and spaces at the end
    return [part for part in safe if part] or [NAMELESS]
