"""The files that `rtser file` writes for each recording, and their folders."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from rtser.commands.places import NAMELESS, stems, told_apart, url_parts
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
        kinds = {name: FORMATS[name][0] for name in self.formats} | ({"plot": PLOT} if self.plot else {})
        begins = self._begins(dict.fromkeys(map(identity, recordings)))
        for folder in sorted({begin.parent for begin in begins.values()}):
            if self.folder or folder.is_dir():  # a recording in a missing folder is missing too, and fails later
                _check_folder(folder)
        files = {
            one: {kind: begin.with_name(begin.name + suffix) for kind, suffix in kinds.items()}
            for one, begin in begins.items()
        }
        return {recording: files[identity(recording)] for recording in recordings}

    def write(self, paths: dict[str, Path], told: Told) -> None:
        """Write the files of one recording; raises OutputError where one cannot be written."""
        from rtser.files import replacing
        from rtser.sinks.annotation import write_annotation

        for name in self.formats:
            _, module, function = FORMATS[name]
            write: Write = getattr(importlib.import_module(module), function)
            write_annotation(paths[name], write, told.events)
        if told.picture:
            with replacing(paths["plot"]) as part:
                part.write_bytes(told.picture)

    def _begins(self, recordings: Iterable[str]) -> dict[str, Path]:
        """The path at which the names of each recording's files begin, by the recording's `identity`."""
        places = {one: _place(one, self.folder) for one in recordings}
        if self.folder:
            below = told_apart(list(places.values()))
            places = {one: self.folder / path for one, path in zip(places, below, strict=True)}
        return stems(places, MARK)


def identity(recording: str) -> str:
    """What two names of the same recording have in common."""
    from rtser.audio.opening import STANDARD_INPUT, URL

    if recording == STANDARD_INPUT or URL in recording:
        return recording
    return os.path.abspath(recording)  # noqa: PTH100  # resolve() would leave the folder of a link


def _place(recording: str, folder: Path | None) -> Path:
    """The path of a recording; standard input and URLs have no folder here, so they get the working folder."""
    from rtser.audio.opening import STANDARD_INPUT, URL, shown

    if recording == STANDARD_INPUT or URL in recording:
        if folder is None:
            raise InputError(f"{shown(recording)} has no folder to write beside", "name one with --output")
        return Path.cwd().joinpath(*url_parts(recording) if URL in recording else ["standard-input"])
    place = Path(recording)
    return place if place.name else place / NAMELESS


def _check_folder(folder: Path) -> None:
    """Check, before any work is done, that a folder can be written, or made if it is missing."""
    candidates = folder, *folder.absolute().parents
    nearest = next((one for one in candidates if os.path.lexists(one)), candidates[-1])
    if not os.path.isdir(nearest):  # noqa: PTH112  # is_dir() may fail
        raise OutputError(f"{folder} cannot be made ({nearest} is not a folder)", "name another one with --output")
    if not os.access(nearest, os.W_OK | os.X_OK):
        what = "written" if nearest == folder else f"made ({nearest} cannot be written)"
        raise OutputError(f"{folder} cannot be {what}", "name another folder with --output")
