"""``rtser file`` and ``rtser demo``: recognise emotion in audio files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtser.commands.options import (
    ChannelOption,
    ChannelsOption,
    FilesArgument,
    FormatOption,
    JsonOption,
    ModelOption,
    PlainOption,
    ProviderOption,
    RateOption,
    Recognition,
    keep_apart,
    make_session,
    raw_settings,
    recognition,
    with_recognition,
)
from rtser.commands.output import make_view
from rtser.commands.process import Failures, failures, single_threaded
from rtser.commands.quiet import quiet_libraries
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
def file(
    options: Recognition,
    paths: FilesArgument,
    stream: Annotated[bool, typer.Option("--stream", help="Pace in real time and show the live view.")] = False,
    speed: Annotated[
        float | None, typer.Option(help="As --stream, at so many times real time; 0 does not wait.", min=0)
    ] = None,
    json: JsonOption = False,
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
        settings, raw = options.of_files(channel), raw_settings(format_, rate, channels)
        keep_apart([csv], [*map(Path, paths), settings.model, options.config])
        session = make_session(settings)
        from rtser.sinks import closing
        from rtser.sinks.csv_table import new_table
        from rtser.sinks.dropping import DroppingSink

        view = make_view(session, json, live and not (plain or settings.plain))
        sinks = [DroppingSink(view, None if csv else asked.stop.set)]
        if csv:
            sinks.append(DroppingSink(new_table(csv, session.model.labels), notify=session.notify))
        with closing(sinks):
            recognise_files(session, paths, settings.channel, pace, sinks, asked.stop, fail, raw)


def demo(
    json: JsonOption = False,
    plain: PlainOption = False,
    speed: Annotated[float, typer.Option(help="Times real time; 0 does not wait.", min=0)] = 1.0,
    model: ModelOption = None,
    provider: ProviderOption = None,
) -> None:
    """Recognise the bundled sample (synthetic speech): no file and no microphone needed.

    Examples:
        rtser demo
        rtser demo --speed 0 --json
    """
    single_threaded()
    with failures() as fail, signals(fail.say) as asked:
        from rtser.audio.file import sample_path
        from rtser.sinks import closing
        from rtser.sinks.dropping import DroppingSink

        session = make_session(recognition(model, provider).settings())
        sinks = [DroppingSink(make_view(session, json, live=not plain), asked.stop.set)]
        with closing(sinks):
            recognise_file(session, sample_path(), None, speed, sinks, asked.stop, name=sample_path().name)
        if not json and not asked.stop.is_set():
            typer.echo(WHAT_NEXT)


def recognise_files(
    session: Session,
    paths: Sequence[str | Path],
    channel: int | None,
    speed: float,
    sinks: Sequence[Sink],
    stop: threading.Event,
    fail: Failures,
    raw: RawSettings | None = None,
) -> None:
    """`recognise_file` for one file after another, until `stop` is set; one that cannot be done is noted."""
    for path in paths:
        if stop.is_set():
            break
        try:
            recognise_file(session, path, channel, speed, sinks, stop, raw=raw)
        except InputError as error:
            fail.note(error)


def recognise_file(
    session: Session,
    path: str | Path,
    channel: int | None,
    speed: float,
    sinks: Sequence[Sink],
    stop: threading.Event,
    name: str | None = None,
    raw: RawSettings | None = None,
) -> None:
    """Recognise one file, at so many times real time (0: do not wait); raises InputError where that cannot be done."""
    from rtser.audio.file import AudioFile
    from rtser.audio.pacing import PacedSource

    with AudioFile(path, channel, raw) as audio:
        end = session.run(PacedSource(audio, speed, stop, name), sinks)
    if not end.decisions and not stop.is_set():
        raise InputError(f"{audio.name}: {end.time:.3f} s of sound is too short to decide (a segment lasts 0.335 s)")
