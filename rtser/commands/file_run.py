"""The work of `rtser file`: files one after another or several at once, to the outputs that were asked for."""

from __future__ import annotations

import logging
import os
import stat
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

from rich.console import Console

from rtser.audio.opening import STANDARD_INPUT, shown
from rtser.batch.files import FileJob, Told, at_once, told
from rtser.commands.exports import Exports
from rtser.commands.output import make_view
from rtser.commands.process import Failures
from rtser.errors import OutputError
from rtser.models import read_model
from rtser.session import Session
from rtser.settings import ListenSettings, RawSettings
from rtser.sinks import Sink, closing
from rtser.sinks.csv_table import new_table
from rtser.sinks.dropping import DroppingSink
from rtser.sinks.summary_lines import SummaryLines
from rtser.ui.progress import MakingRoom, RecordingsProgress
from rtser.voice import Voice

logger = logging.getLogger("rtser")


@dataclass(frozen=True)
class Outputs:
    """What is written.

    Attributes:
        json: events on standard output.
        summary: one line of JSON a file there; without both, a table.
        live: the live view instead of the table, where there is a terminal.
        csv: a table of decisions.
        exports: files of each recording.
        planned: their paths, by recording and format.
    """

    json: bool
    summary: bool
    live: bool
    csv: Path | None
    exports: Exports
    planned: dict[str, dict[str, Path]]

    def job(self, settings: ListenSettings, session: Session, raw: RawSettings | None) -> FileJob:
        """How files are recognised for these outputs, in any process."""
        return FileJob(
            model=read_model(settings.model) if settings.model else None,
            window_s=settings.window_s,
            decide=settings.decide,
            decisions=self.json or self.csv is not None,
            provider=settings.provider,
            voice=session.voice if isinstance(session.voice, Voice) else None,
            channel=settings.channel,
            raw=raw,
            picture=self.exports.plot,
        )


def run_files(
    session: Session,
    job: FileJob,
    paths: Sequence[str],
    outputs: Outputs,
    jobs: int,
    speed: float,
    stop: threading.Event,
    fail: Failures,
) -> None:
    """Recognise files until `stop` is set; one that cannot be done, or written, is noted.

    Args:
        session: recognises files in this process.
        job: the same for others.
        paths: the files.
        outputs: what is written.
        jobs: how many files at once; 1 for this process alone.
        speed: times real time; 0 does not wait.
        stop: ends the work.
        fail: notes what goes wrong.
    """
    printed = SummaryLines(sys.stdout) if outputs.summary else None
    view: Sink = printed or make_view(session, outputs.json, outputs.live)
    on_terminal = sys.stdout.isatty()
    own = outputs.json or outputs.summary or outputs.live
    visible = not (own if on_terminal else _is_pipe(sys.stdout))
    with RecordingsProgress(Console(stderr=True), _sizes(paths), shown=visible) as progress:
        fail.print_within(progress.aside)
        first = MakingRoom(view, progress) if on_terminal else view
        head = DroppingSink(first, None if outputs.csv or outputs.exports else stop.set)
        sinks: list[Sink] = [head]
        if outputs.csv:
            sinks.append(DroppingSink(new_table(outputs.csv, session.labels), notify=session.notify))
        with closing(sinks):
            work = _several(session, job, paths, jobs, sinks, stop) if jobs > 1 else None
            for path, said in work or _single(session, job, paths, speed, sinks, stop, progress):
                if stop.is_set():
                    return
                progress.ended()
                if printed:
                    problem = str(said.problem) if said.problem else None
                    with progress.aside():
                        head.attempt(lambda: printed.tell(shown(path), problem))  # noqa: B023  # called at once
                if said.problem:
                    fail.note(said.problem)
                try:
                    outputs.exports.write(outputs.planned.get(path, {}), said)
                except OutputError as error:
                    fail.note(error)


def _single(
    session: Session,
    job: FileJob,
    paths: Sequence[str],
    speed: float,
    sinks: Sequence[Sink],
    stop: threading.Event,
    progress: RecordingsProgress,
) -> Iterator[tuple[str, Told]]:
    """One file after another in this process; the sinks get each event when it is made."""
    job = replace(job, decisions=False)
    for path in paths:
        if stop.is_set():
            return
        yield (
            path,
            told(
                job,
                session,
                path,
                stop,
                speed,
                sinks,
                [progress],
                lambda audio: progress.begin(audio.name, audio.duration_s),
            ),
        )


def _several(
    session: Session, job: FileJob, paths: Sequence[str], jobs: int, sinks: Sequence[Sink], stop: threading.Event
) -> Iterator[tuple[str, Told]]:
    """Several files at once; the sinks get each file's events when it is done, in the order of the files."""
    elsewhere = at_once(job, [path for path in paths if path != STANDARD_INPUT], jobs, stop.is_set)
    for path in paths:
        own = path == STANDARD_INPUT  # another process does not have it
        said = told(job, session, path, stop) if own else next(elsewhere, (path, None))[1]
        if said is None or stop.is_set():
            return
        for warning in said.warnings:
            logger.warning("%s", warning)
        for event in said.events:
            for sink in sinks:
                sink.write(event)
        yield path, said


def _is_pipe(out: TextIO) -> bool:
    """Whether another program reads what is printed: it may print on the same terminal, over the progress."""
    try:
        return stat.S_ISFIFO(os.fstat(out.fileno()).st_mode)
    except OSError:  # closed, or no file at all
        return False


def _sizes(paths: Sequence[str]) -> list[float]:
    """How much work each file is, in bytes; of what has no size here, the mean of the others."""
    known = [Path(path).stat().st_size if Path(path).is_file() else 0 for path in paths]
    mean = sum(known) / max(1, sum(size > 0 for size in known)) or 1.0
    return [float(size) or mean for size in known]
