"""``rtser file`` and ``rtser demo``: recognise emotion in audio files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtser.commands.exports import Exports, exports, identity
from rtser.commands.option_groups import with_group
from rtser.commands.options import (
    ChannelOption,
    FilesArgument,
    JsonOption,
    ModelOption,
    PlainOption,
    ProviderOption,
    Recognition,
    keep_apart,
    make_session,
    one_form,
    recognition,
    with_recognition,
)
from rtser.commands.output import make_view
from rtser.commands.process import Failures, failures, single_threaded
from rtser.commands.quiet import quiet_libraries
from rtser.commands.raw_options import ChannelsOption, FormatOption, RateOption, raw_settings
from rtser.commands.signals import signals
from rtser.errors import InputError

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from rtser.session import Session
    from rtser.settings import RawSettings
    from rtser.sinks import Sink


WHAT_NEXT = """
What to try next:
  rtser file call.wav     a recording of your own
  rtser listen            your microphone, live (rtser doctor checks it)
  rtser info              what the model is, and how far to trust it
  rtser --help            all commands"""


@with_recognition
@with_group(exports)
def file(
    made: Exports,
    options: Recognition,
    paths: FilesArgument,
    stream: Annotated[bool, typer.Option("--stream", help="Play in real time and show the live view.")] = False,
    speed: Annotated[
        float | None, typer.Option(help="As --stream, at this multiple of real time; 0 does not wait.", min=0)
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="How many files at once, each in a process.")] = 1,
    json: JsonOption = False,
    summary: Annotated[
        bool, typer.Option("--summary", help="Write one line of JSON per file: speech, shares, turning points.")
    ] = False,
    plain: PlainOption = False,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Also write each decision to this CSV (overwritten).")
    ] = None,
    channel: ChannelOption = None,
    format_: FormatOption = None,
    rate: RateOption = None,
    channels: ChannelsOption = None,
) -> None:
    """Recognise emotion in audio files.

    Examples:
        rtser file call.wav
        rtser file call.wav --stream --speed 4
        rtser file *.flac --json > events.jsonl
    """
    single_threaded()
    live = stream or speed is not None
    pace = speed if speed is not None else float(live)
    with failures() as fail, quiet_libraries(), signals(fail.say) as asked:
        one_form(json=json, summary=summary, plain=plain)
        if summary and live:
            raise InputError("--stream and --speed have nothing to show with --summary", "leave them out, or --summary")
        if jobs > 1 and live:
            raise InputError("--stream and --speed are for one file after another", "leave them out, or --jobs")
        from rtser.commands.file_run import Outputs, run_files

        settings, raw = options.of_files(channel), raw_settings(format_, rate, channels)
        planned = made.plan(paths)
        distinct = {identity(path): files for path, files in planned.items()}
        written = [path for files in distinct.values() for path in files.values()]
        keep_apart([csv, *written], [*map(Path, paths), settings.model, options.config])
        outputs = Outputs(json, summary, plain or settings.plain, live, csv, made, planned)
        session = make_session(settings)
        job = outputs.job(settings, session, raw)
        run_files(session, job, paths, outputs, jobs, pace, asked, fail)


def demo(
    json: JsonOption = False,
    plain: PlainOption = False,
    speed: Annotated[float, typer.Option(help="Speed as a multiple of real time; 0 does not wait.", min=0)] = 1.0,
    model: ModelOption = None,
    provider: ProviderOption = None,
) -> None:
    """Recognise the bundled sample (synthetic speech). It needs no file and no microphone.

    Examples:
        rtser demo
        rtser demo --speed 0 --json
    """
    single_threaded()
    with failures() as fail, signals(fail.say) as asked:
        one_form(json=json, plain=plain)
        from rtser.audio.file import sample_path
        from rtser.batch.files import recognise_file
        from rtser.sinks import closing
        from rtser.sinks.dropping import DroppingSink

        session = make_session(recognition(model, provider).settings())
        shown = make_view(session, json, plain, live=True, quit=asked.quit)
        sinks = [DroppingSink(shown.view, asked.stop.set), *shown.sinks]
        with closing(sinks):
            name, sounds = sample_path().name, shown.audio_sinks
            recognise_file(session, sample_path(), None, speed, sinks, asked.stop, name, audio_sinks=sounds)
        if not json and not asked.stop.is_set():
            typer.echo(WHAT_NEXT)


def recognise_files(
    session: Session,
    paths: Sequence[str | Path],
    channel: int | None,
    sinks: Sequence[Sink],
    stop: threading.Event,
    fail: Failures,
    raw: RawSettings | None = None,
) -> None:
    """Recognise one file after another, until `stop` is set; a file that fails is noted."""
    from rtser.batch.files import recognise_file

    for path in paths:
        if stop.is_set():
            break
        try:
            recognise_file(session, path, channel, 0, sinks, stop, raw=raw)
        except InputError as error:
            fail.note(error)
