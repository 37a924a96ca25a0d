"""``rtser listen`` and ``rtser settings``: recognise emotion in what a microphone picks up."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rtser.commands.microphones import Microphones, ended_after, supervised
from rtser.commands.options import (
    DeviceOption,
    JsonOption,
    PlainOption,
    Recognition,
    keep_apart,
    make_session,
    with_recognition,
)
from rtser.commands.output import make_view
from rtser.commands.process import failures, single_threaded
from rtser.commands.quiet import quiet_libraries
from rtser.commands.raw_options import ChannelsOption, FormatOption, RateOption, raw_settings
from rtser.commands.servers import remote_session
from rtser.commands.signals import signals
from rtser.commands.voices import voice_sinks
from rtser.errors import DeviceError, InputError

if TYPE_CHECKING:
    from rtser.audio.source import Source
    from rtser.remote import RemoteSession
    from rtser.session import Session
    from rtser.sinks import Sink


@with_recognition
def listen(
    options: Recognition,
    json: JsonOption = False,
    plain: PlainOption = False,
    device: DeviceOption = None,
    channel: Annotated[
        int | None, typer.Option("--channel", help="Channel to use, from 0; else the mean of the first two.")
    ] = None,
    jsonl: Annotated[
        Path | None, typer.Option("--jsonl", help="Append events to this file, renamed when large.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Append decisions to this table, renamed when large.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", help="Folder for the sound around each utterance, as FLAC.")
    ] = None,
    mqtt: Annotated[str | None, typer.Option("--mqtt", help="Broker that gets events: mqtt://HOST/PREFIX.")] = None,
    save_audio: Annotated[
        Path | None, typer.Option("--save-audio", help="Write all sound to this WAV file (overwritten).")
    ] = None,
    input_: Annotated[
        Literal["-"] | None,
        typer.Option("--input", help="-: samples from standard input, written as they are spoken, not a microphone."),
    ] = None,
    format_: FormatOption = None,
    rate: RateOption = None,
    channels: ChannelsOption = None,
    server: Annotated[
        str | None, typer.Option("--server", help="ws://HOST:PORT of an `rtser serve` that recognises instead.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File with the server's token; or set RTSER_TOKEN.")
    ] = None,
    max_lag: Annotated[
        float | None, typer.Option("--max-lag", help="Milliseconds; later than this, sound is skipped; 500.")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a microphone where there is none.")] = False,
    duration: Annotated[
        float | None, typer.Option("--duration", help="End after so many seconds, waiting included.", min=0.1)
    ] = None,
) -> None:
    """Recognise emotion in what a microphone picks up, or another program writes, until interrupted."""
    single_threaded()
    with failures() as fail, quiet_libraries(), signals(fail.say, daemon=True) as asked:
        outputs = {"jsonl": jsonl, "csv": csv, "record": record, "save_audio": save_audio, "mqtt": mqtt}
        lag = {"max_lag_ms": max_lag}
        settings = options.settings(device=device, channel=channel, source=lag, outputs=outputs)
        from rtser.audio.file import AudioFile
        from rtser.audio.live_input import LiveInput
        from rtser.audio.opening import STANDARD_INPUT
        from rtser.engine.contract import HOP_S
        from rtser.sinks import closing
        from rtser.sinks.build import build_sinks
        from rtser.sinks.dropping import DroppingSink

        files = settings.outputs
        keep_apart([files.jsonl, files.csv, files.save_audio], [settings.model, options.config])
        session: Session | RemoteSession
        learnt: list[Sink] = []
        if token_file and not server:
            raise InputError("--token-file is for --server", "leave it out, or say --server too")
        if server:
            session = remote_session(options, server, token_file)
        else:
            session = make_session(settings, learns=True)
            learnt = voice_sinks(settings.voice, session, session.notify)
        raw = raw_settings(format_, rate, channels, needed=input_ is not None)
        if raw and input_ is None:
            raise InputError("--format is for samples from standard input", "say --input - too")
        if input_ and (device is not None or max_lag):
            raise InputError("--device and --max-lag are for microphones", "leave them out, or --input")
        if input_ and wait:
            raise InputError("--wait is for microphones", "leave it out, or --input")
        with ExitStack() as opened:
            opened.enter_context(ended_after(duration, asked.stop))
            logs, audio_sinks = build_sinks(files, session.labels, asked.reopen, session.notify)
            source: Source
            microphones: Microphones | None = None
            if not raw:
                microphone, microphones = supervised(settings, asked.stop, wait)
            plain = plain or settings.plain
            shown = make_view(session, json, plain, True, asked.stop, not raw, microphones)
            sinks = [*logs, *learnt, DroppingSink(shown.view, asked.stop.set), *shown.sinks]
            opened.enter_context(closing(sinks))
            if raw:
                audio = opened.enter_context(AudioFile(STANDARD_INPUT, settings.channel, raw, HOP_S))
                source = LiveInput(audio, asked.stop)
            else:
                source = opened.enter_context(microphone)
                if not microphone.is_open and not asked.received:
                    raise DeviceError(f"there was no microphone within {duration:g} s", "connect one")
            if not asked.stop.is_set():
                session.run(source, sinks, [*audio_sinks, *shown.audio_sinks])


def settings() -> None:
    """Print every setting of `rtser listen` with its default and its meaning, as a YAML file."""
    with failures():
        from rtser.settings import settings_yaml

        typer.echo(settings_yaml(), nl=False)
