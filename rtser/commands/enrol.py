"""``rtser enrol``: learn a person's normal speech once, for ``--voice``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rtser.commands.file import recognise_files
from rtser.commands.options import (
    ChannelOption,
    DeviceOption,
    ModelOption,
    ProviderOption,
    keep_apart,
    recognition,
)
from rtser.commands.process import failures, single_threaded
from rtser.commands.quiet import quiet_libraries
from rtser.commands.raw_options import ChannelsOption, FormatOption, RateOption, raw_settings
from rtser.commands.signals import signals
from rtser.commands.voices import auto_file
from rtser.errors import InputError

if TYPE_CHECKING:
    import threading

    from rtser.events import Event
    from rtser.session import Session
    from rtser.settings import ListenSettings
    from rtser.voice import LearningVoice

TOLD_EVERY_S = 5


def enrol(
    output: Annotated[str, typer.Argument(metavar="PROFILE", help="File to write, such as me.json.")],
    files: Annotated[
        list[Path] | None,
        typer.Option("--from", help="Use this audio file (-: standard input), not the microphone; repeatable."),
    ] = None,
    seconds: Annotated[
        float, typer.Option(help="Seconds of speech to record from the microphone.", min=5, max=600)
    ] = 20.0,
    device: DeviceOption = None,
    channel: ChannelOption = None,
    format_: FormatOption = None,
    rate: RateOption = None,
    channels: ChannelsOption = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing profile.")] = False,
    forget: Annotated[
        bool,
        typer.Option("--forget", help="Delete the profile; auto: the one that rtser listen --voice auto has learnt."),
    ] = False,
    model: ModelOption = None,
    provider: ProviderOption = None,
) -> None:
    """Learn how a person normally speaks, for --voice, from 20 s of neutral speech. Pauses do not count.

    The profile holds one number for each emotion, and nothing of what was said. It works only with the same model.

    Examples:
        rtser enrol me.json
        rtser enrol me.json --from a.wav --from b.wav
        rtser enrol auto --forget
    """
    single_threaded()
    with failures() as fail, quiet_libraries(), signals(fail.say) as asked:
        from rtser.models import load
        from rtser.voice import LearningVoice

        settings = recognition(model, provider).settings(device=device, channel=channel)
        loaded = load(settings.model, settings.provider)
        if forget:
            _forget(auto_file(output, loaded) or Path(output))
            return
        path, raw = Path(output), raw_settings(format_, rate, channels)
        if raw and not files:
            raise InputError("--format is for samples from a file", "add --from FILE")
        if auto_file(output, loaded):
            raise InputError("rtser listen learns auto, so it cannot be enrolled", "name a file, such as me.json")
        if path.exists() and not force:
            raise InputError(f"{path} exists already", "name another file, or replace it with --force")
        keep_apart([path], [*(files or []), settings.model])
        from rtser.enrolment import UNCHANGED, enrolled
        from rtser.session import Session

        learner = LearningVoice(loaded, settings=UNCHANGED)
        session = Session(loaded, voice=learner)
        if files:
            recognise_files(session, files, settings.channel, [], asked.stop, fail, raw)
        else:
            _listen(session, settings, Progress(learner, seconds, asked.stop))
        if fail.noted or asked.received:
            return
        voice = enrolled(learner, path.stem)
        voice.save(path, replace=force)
        typer.echo(f"{path}: the voice profile, from {voice.profile.speech_s:.0f} s of speech")


def _forget(path: Path) -> None:
    """Delete a profile, and nothing else."""
    from rtser.voice import Voice

    if not path.exists():
        raise InputError(f"{path} does not exist, so there is nothing to forget")
    Voice.load(path)
    path.unlink()
    typer.echo(f"forgotten: {path}")


def _listen(session: Session, settings: ListenSettings, progress: Progress) -> None:
    """Record the wanted seconds of speech from the microphone."""
    from rtser.audio.microphone import MicrophoneOpener
    from rtser.audio.supervisor import Supervisor

    opener = MicrophoneOpener(settings.device, settings.channel, settings.source.ring_s)
    with Supervisor(opener, settings.source, progress.stop, settings.channel) as source:
        if not progress.stop.is_set():
            typer.echo(f"Speak as you normally do, until {progress.seconds:g} s of speech are recorded.")
            session.run(source, [progress])


class Progress:
    """A sink that prints how much speech was heard so far, and ends the sound when it is enough.

    Args:
        learner: hears the utterances that have ended.
        seconds: how much is enough.
        stop: set when it is enough.
    """

    def __init__(self, learner: LearningVoice, seconds: float, stop: threading.Event) -> None:
        self.seconds, self.stop, self._learner = seconds, stop, learner
        self._hops = self._told_s = 0

    def write(self, event: Event) -> None:
        """Count the decisions of the present utterance."""
        from rtser.engine.contract import HOP_S
        from rtser.events import DecisionEvent, UtteranceEvent

        if isinstance(event, DecisionEvent):
            self._hops += event.speaking
        elif isinstance(event, UtteranceEvent) and event.final:
            self._hops = 0
        heard_s = self._learner.speech_s + self._hops * HOP_S
        if heard_s >= self._told_s + TOLD_EVERY_S:
            self._told_s += TOLD_EVERY_S
            typer.echo(f"{self._told_s} s of {self.seconds:g} s")
        if heard_s >= self.seconds:
            self.stop.set()

    def close(self) -> None:
        """Do nothing; the sink holds nothing back."""
