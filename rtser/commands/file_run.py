"""The work of `rtser file`: recognise files one by one or several at once, and write the chosen outputs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from rtser.audio.opening import STANDARD_INPUT, shown
from rtser.batch.files import FileJob, one_by_one, several, sizes
from rtser.commands.exports import Exports
from rtser.commands.output import Shown, is_pipe, make_view
from rtser.commands.process import Failures
from rtser.commands.signals import Signals
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


@dataclass(frozen=True)
class Outputs:
    """What is written.

    Attributes:
        json: events on standard output.
        summary: one line of JSON per file on standard output; without `json` and `summary`, a table.
        plain: lines instead of the live view.
        live: the sound is paced, so a terminal shows the live view instead of the table, unless `plain` is set.
        csv: a table of decisions.
        exports: the files to write for each recording.
        planned: the paths of those files, by recording and format.
    """

    json: bool
    summary: bool
    plain: bool
    live: bool
    csv: Path | None
    exports: Exports
    planned: dict[str, dict[str, Path]]

    def job(self, settings: ListenSettings, session: Session, raw: RawSettings | None) -> FileJob:
        """The job that recognises files for these outputs, in any process."""
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
    asked: Signals,
    fail: Failures,
) -> None:
    """Recognise files until the end is asked for; a file that cannot be read or written is noted.

    Args:
        session: recognises files in this process.
        job: recognises files in other processes.
        paths: the files.
        outputs: what is written.
        jobs: how many files at once; 1 for this process alone.
        speed: a multiple of real time; 0 does not wait.
        asked: ends the work.
        fail: notes what goes wrong.
    """
    printed = SummaryLines(sys.stdout) if outputs.summary else None
    stop, keys = asked.stop, STANDARD_INPUT not in paths
    about = outputs.json, outputs.plain, outputs.live, asked.quit, keys
    show = Shown(printed) if printed else make_view(session, *about)
    on_terminal = sys.stdout.isatty()
    own = outputs.json or outputs.summary or (outputs.live and not outputs.plain)
    visible = not (own if on_terminal else is_pipe(sys.stdout))
    with RecordingsProgress(Console(stderr=True), sizes(paths), shown=visible) as progress:
        fail.print_within(progress.aside)
        first = MakingRoom(show.view, progress) if on_terminal else show.view
        head = DroppingSink(first, None if outputs.csv or outputs.exports else stop.set)
        sinks: list[Sink] = [head, *show.sinks]
        if outputs.csv:
            sinks.append(DroppingSink(new_table(outputs.csv, session.labels), notify=session.notify))
        with closing(sinks):
            results = (
                several(session, job, paths, jobs, sinks, stop)
                if jobs > 1
                else one_by_one(session, job, paths, speed, sinks, stop, [progress, *show.audio_sinks], progress.begin)
            )
            for path, said in results:
                if stop.is_set():
                    return
                progress.ended()
                if printed:
                    problem = str(said.problem) if said.problem else None
                    with progress.aside():
                        head.attempt(lambda: printed.tell(shown(path), problem))  # noqa: B023  # called at once
                if said.problem:
                    fail.note(said.problem)
                files = outputs.planned.get(path, {})
                try:
                    outputs.exports.write(files, said)
                except OutputError as error:
                    fail.note(error)
                    continue
                if (
                    sys.stderr.isatty()
                    and not own
                    and (written := [str(one) for one in files.values() if one.exists()])
                ):
                    with progress.aside():
                        typer.echo(f"written: {', '.join(written)}", err=True)
