"""The files that `rtser file` writes for each recording, and their folders."""

from __future__ import annotations

import importlib
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple
from urllib.parse import unquote

import typer

from rtser.commands.process import packages
from rtser.errors import InputError, OutputError

if TYPE_CHECKING:
    from rtser.batch.files import Told
    from rtser.sinks.annotation import Write

FORMATS = {
    "textgrid": (".TextGrid", "rtser.sinks.textgrid", "write_textgrid"),
    "vtt": (".vtt", "rtser.sinks.captions", "write_captions"),
    "labels": (".txt", "rtser.sinks.audacity", "write_labels"),
}
"""For each option: the suffix, and the module and function that write the file."""
PLOT = ".png"
MARK = ".emotion"
"""Part of each name, so that it overwrites no transcript or subtitles beside the recording."""


def exports(
    textgrid: Annotated[
        bool, typer.Option("--textgrid", help="Write utterances for Praat and ELAN: NAME.emotion.TextGrid.")
    ] = False,
    vtt: Annotated[bool, typer.Option("--vtt", help="Write captions for video players: NAME.emotion.vtt.")] = False,
    labels: Annotated[bool, typer.Option("--labels", help="Write labels for Audacity: NAME.emotion.txt.")] = False,
    plot: Annotated[bool, typer.Option("--plot", help="Draw a picture of each recording: NAME.emotion.png.")] = False,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for these files; beside each recording if not given.")
    ] = None,
) -> Exports:
    """The files that the options of these names ask for."""
    asked = {"textgrid": textgrid, "vtt": vtt, "labels": labels}
    return Exports(tuple(name for name, wanted in asked.items() if wanted), plot, output)


class Exports(NamedTuple):
    """The files to write for each recording: formats, a picture, and their folder (None: beside the recording)."""

    formats: tuple[str, ...]
    plot: bool
    folder: Path | None

    def __bool__(self) -> bool:
        return bool(self.formats or self.plot)

    def plan(self, recordings: Sequence[str]) -> dict[str, dict[str, Path]]:
        """The path of each file, by recording and format (``plot`` for the picture).

        Raises:
            InputError: --output is given without a format, or a recording has no folder and --output is missing.
            OutputError: a folder cannot be written.
            UnavailableError: a package is missing.
        """
        if not self:
            if self.folder:
                raise InputError("--output is for --textgrid, --vtt, --labels and --plot", "add at least one of them")
            return {}
        if "textgrid" in self.formats:
            with packages("textgrid"):
                importlib.import_module("praatio")
        if self.plot:
            with packages("plot"):
                importlib.import_module("matplotlib")
        stems = self._stems(list(dict.fromkeys(recordings)))
        for folder in sorted({stem.parent for stem in stems.values()}):
            if self.folder or folder.is_dir():  # a recording in a missing folder is missing too, and fails later
                _check_folder(folder)
        kinds = {name: FORMATS[name][0] for name in self.formats} | ({"plot": PLOT} if self.plot else {})
        return {
            name: {kind: stem.with_name(stem.name + MARK + suffix) for kind, suffix in kinds.items()}
            for name, stem in stems.items()
        }

    def write(self, paths: dict[str, Path], told: Told) -> None:
        """Write the files of one recording; raises OutputError where one cannot be written."""
        from rtser.files import replacing
        from rtser.sinks.annotation import AnnotationFile

        for name in self.formats:
            _, module, function = FORMATS[name]
            write: Write = getattr(importlib.import_module(module), function)
            sink = AnnotationFile(paths[name], write)
            for event in told.events:
                sink.write(event)
        if told.picture:
            with replacing(paths["plot"]) as part:
                part.write_bytes(told.picture)

    def _stems(self, recordings: list[str]) -> dict[str, Path]:
        """The files' paths without mark and suffix. Recordings that differ only in their suffix keep it."""
        places = {one: _place(one, self.folder) for one in recordings}
        top = Path(os.path.commonpath([place.parent for place in places.values()])) if places else Path()
        if self.folder:
            places = {one: self.folder / place.relative_to(top) for one, place in places.items()}
        distinct = Counter(place.with_suffix("") for place in set(places.values()))
        return {
            one: place.with_suffix("") if distinct[place.with_suffix("")] == 1 else place
            for one, place in places.items()
        }


def _place(recording: str, folder: Path | None) -> Path:
    """The path of a recording; standard input and URLs have no folder here, so they get the working folder."""
    from rtser.audio.opening import STANDARD_INPUT, URL, shown

    if recording == STANDARD_INPUT or URL in recording:
        if folder is None:
            raise InputError(f"{shown(recording)} has no folder to write beside", "name one with --output")
        return Path.cwd().joinpath(*_url_parts(recording) if URL in recording else ["standard-input"])
    return Path(os.path.abspath(recording))  # noqa: PTH100  # resolve() would leave the folder of a link


def _url_parts(url: str) -> list[str]:
    """The folders and the name in a URL; for a file inside an archive, the archive's come first."""
    whole = "/".join(re.split(r"[?#]", one.rpartition("://")[2])[0] for one in reversed(url.split("::")))
    return [part for part in unquote(whole).split("/") if part not in ("", ".", "..")] or ["recording"]


def _check_folder(folder: Path) -> None:
    """Make a folder if it is missing, and check that it can be written before any work is done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder} cannot be made ({error.strerror})", "name another one with --output") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{folder} cannot be written", "name another folder with --output")
