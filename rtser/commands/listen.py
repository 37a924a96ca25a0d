"""``rtser listen``: recognise emotion in live sound, from a microphone or another program."""

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
    one_form,
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
        int | None,
        typer.Option("--channel", help="Channel to use, counted from 0; the mean of the first two if not given."),
    ] = None,
    jsonl: Annotated[
        Path | None, typer.Option("--jsonl", help="Append events to this file; a large file is renamed.")
    ] = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Append decisions to this table; a large file is renamed.")
    ] = None,
    record: Annotated[
        Path | None, typer.Option("--record", help="Folder for the sound around each utterance, as FLAC.")
    ] = None,
    mqtt: Annotated[str | None, typer.Option("--mqtt", help="Send events to this broker: mqtt://HOST/PREFIX.")] = None,
    save_audio: Annotated[
        Path | None, typer.Option("--save-audio", help="Write all sound to this WAV file (overwritten).")
    ] = None,
    input_: Annotated[
        Literal["-"] | None,
        typer.Option("--input", help="-: read live samples from standard input instead of a microphone."),
    ] = None,
    format_: FormatOption = None,
    rate: RateOption = None,
    channels: ChannelsOption = None,
    server: Annotated[
        str | None, typer.Option("--server", help="Recognise on this `rtser serve`: ws://HOST:PORT.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option("--token-file", help="File with the server's token; or set RTSER_TOKEN.")
    ] = None,
    max_lag: Annotated[
        float | None,
        typer.Option("--max-lag", help="Skip sound that waits longer than these milliseconds; default 500."),
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait for a microphone if there is none yet.")] = False,
    duration: Annotated[
        float | None, typer.Option("--duration", help="End after this many seconds, including any waiting.", min=0.1)
    ] = None,
) -> None:
    """Recognise emotion in live sound, from a microphone or another program, until interrupted.

    Examples:
        rtser listen
        rtser listen --device usb --jsonl events.jsonl
        rtser listen --config my.yaml --set decide.hold_s=1
    """
    single_threaded()
    with failures() as fail, quiet_libraries(), signals(fail.say, daemon=True) as asked:
        one_form(json=json, plain=plain)
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
            raise InputError("--token-file is for --server", "leave it out, or add --server")
        if server:
            session = remote_session(options, server, token_file)
        else:
            session = make_session(settings, learns=True)
            learnt = voice_sinks(settings.voice, session, session.notify)
        raw = raw_settings(format_, rate, channels, needed=input_ is not None)
        if raw and input_ is None:
            raise InputError("--format is for samples from standard input", "add --input -")
        if input_ and (device is not None or max_lag):
            raise InputError("--device and --max-lag are for microphones", "leave out either them or --input")
        if input_ and wait:
            raise InputError("--wait is for microphones", "leave out either it or --input")
        with ExitStack() as opened:
            opened.enter_context(ended_after(duration, asked.quit))
            logs, audio_sinks = build_sinks(files, session.labels, asked.reopen, session.notify)
            source: Source
            microphones: Microphones | None = None
            if not raw:
                microphone, microphones = supervised(settings, asked.stop, wait)
            plain = plain or settings.plain
            shown = make_view(session, json, plain, True, asked.quit, not raw, microphones, files.recorded)
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
