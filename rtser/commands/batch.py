"""``rtser batch``: whole archives."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from rtser.commands.option_groups import with_group
from rtser.commands.options import Recognition, recognition
from rtser.commands.process import failures, single_threaded
from rtser.commands.signals import signals
from rtser.errors import InputError


@with_group(recognition, hidden=["voice", "provider"])
def batch(
    options: Recognition,
    recordings: Annotated[
        list[str],
        typer.Argument(help="Files, folders, 'patterns/**/*.wav', URLs (s3://..., zip://...).", show_default=False),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="Folder for results, on this machine; a second call continues.")
    ],
    jobs: Annotated[int | None, typer.Option("--jobs", min=1, help="Processes; one per core if not given.")] = None,
    dask: Annotated[
        str | None, typer.Option("--dask", help="Address of a Dask scheduler to use instead of processes.")
    ] = None,
    format_: Annotated[Literal["parquet", "jsonl"], typer.Option("--format", help="Format of the tables.")] = "parquet",
    separate: Annotated[
        bool,
        typer.Option("--separate", help="Recognise each channel on its own, such as agent and caller, not their mean."),
    ] = False,
    decisions: Annotated[bool, typer.Option("--decisions", help="Keep all decisions, not only utterances.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="Try again the recordings that had a problem.")] = False,
) -> None:
    """Recognise whole archives, and write tables: recordings, utterances and, with --decisions, decisions.

    Each result is saved as soon as its recording is finished, so the same command continues an interrupted batch. A
    recording that cannot be read is noted in the table `recordings`; the other recordings are still processed. The
    exit code is 0 if at least one recording could be read, else 2.

    Examples:
        rtser batch 'calls/**/*.wav' -o out
        rtser batch calls -o out --separate --jobs 4
    """
    single_threaded()
    with failures() as fail, signals(fail.say) as asked:
        from rich.console import Console

        from rtser.audio.opening import URL
        from rtser.batch import run
        from rtser.batch.archive import Archive
        from rtser.batch.inputs import found
        from rtser.batch.work import Job
        from rtser.cores import cores
        from rtser.models import default_model_path, load_bytes, read_model
        from rtser.ui.progress import RecordingsProgress
        from rtser.words import counted

        settings = options.of_files(None)
        if settings.voice.profile:
            raise InputError("--voice is for one speaker, and an archive has many", "leave it out")
        if URL in output:
            raise InputError(
                f"{output} is not a folder of this machine", "name a local one, and copy the results afterwards"
            )
        if settings.provider == "cuda":
            raise InputError("--provider cuda: a batch runs on the CPU, one process per core", "leave it out")
        file = settings.model or default_model_path()
        content = read_model(file)
        model = load_bytes(content, str(file), "cpu")
        job = Job(content if settings.model else None, settings.window_s, settings.decide, separate, decisions)
        names = found(recordings)
        archive = Archive(Path(output), job, model, format_)
        missing = archive.missing(names, retry)
        results = (
            run.on_cluster(job, missing, dask, asked.stop.is_set)
            if dask
            else run.here(job, missing, jobs or cores(), asked.stop.is_set)
        )
        with RecordingsProgress(Console(stderr=True), [1.0] * len(names), len(names) - len(missing)) as progress:
            fail.print_within(progress.aside)
            for name, entries in results:
                archive.keep(name, entries)
                for problem in {entry["problem"] for entry in entries if entry["problem"]}:
                    fail.say(problem)
                progress.ended()
        if asked.stop.is_set():
            return
        for path in archive.write_tables(names):
            typer.echo(str(path))
        before = f", {len(names) - len(missing)} of them by an earlier call" if len(missing) < len(names) else ""
        problems = archive.problems(names)
        have, those = ("has", "it") if problems == 1 else ("have", "those")
        again = f"; {problems} {have} a problem, and --retry tries {those} again" if problems else ""
        typer.echo(f"{counted(len(names), 'recording')}{before}{again}", err=True)
        if archive.unreadable(names):
            raise typer.Exit(InputError.exit_code)


def report(
    folder: Annotated[Path, typer.Argument(help="Folder that `rtser batch -o` wrote.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Page to write; report.html in the folder if not given.")
    ] = None,
) -> None:
    """Write one web page about a batch: emotion over time, distribution, turning points, the clearest moments.

    Examples:
        rtser report out
        rtser report out -o page.html
    """
    with failures():
        from rtser.batch.archive import all_entries
        from rtser.batch.report import page
        from rtser.files import replacing

        if not folder.is_dir():
            raise InputError(f"{folder} is not a folder", "name the folder that rtser batch wrote")
        path = output or folder / "report.html"
        with replacing(path) as part:
            part.write_text(page(all_entries(folder), path.parent), encoding="utf-8")
        typer.echo(str(path))
