"""Options that several commands share, and the settings that they stand for."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer

from rtser.commands.option_groups import with_group
from rtser.commands.voices import stream_voice
from rtser.errors import InputError

if TYPE_CHECKING:
    from rtser.session import Session
    from rtser.settings import ListenSettings

Provider = Literal["auto", "cpu", "cuda"]
ModelOption = Annotated[Path | None, typer.Option("--model", help="Model file; the shipped one if not named.")]
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="Input device: its name, part of it, or its index (rtser devices).")
]
ChannelOption = Annotated[int | None, typer.Option("--channel", help="Channel to use, from 0; else the mean of all.")]
ProviderOption = Annotated[
    Provider | None, typer.Option("--provider", help="Where the network runs; auto if not named.")
]
FilesArgument = Annotated[
    list[str],
    typer.Argument(help="Audio files: wav, flac, mp3, ...; URLs; -: standard input.", show_default=False),
]
PlainOption = Annotated[bool, typer.Option("--plain", help="Lines of text instead of the live view.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write events as JSON lines on standard output.")]
LISTEN_ONLY = ("device", "source", "outputs")
"""Settings that mean something to `rtser listen` alone."""


def recognition(
    model: ModelOption = None,
    provider: ProviderOption = None,
    window: Annotated[
        float | None,
        typer.Option("--window", help="Length of the decision window in seconds; the model's own if not named."),
    ] = None,
    label_threshold: Annotated[
        float | None,
        typer.Option(help="Below this probability no emotion is named, 0 to 1; the model's own if not named."),
    ] = None,
    smoothing: Annotated[
        float | None, typer.Option("--smoothing", help="Seconds over which the probabilities are averaged; 0.3.")
    ] = None,
    silence: Annotated[
        float | None, typer.Option("--silence", help="Seconds of silence that end an utterance; 0.36, the least.")
    ] = None,
    voice: Annotated[
        str | None, typer.Option("--voice", help="Whose voice it is: a file of `rtser enrol`; auto: listen learns it.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="YAML file of settings; `rtser settings` explains each.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="key=value: any setting, as decide.hold_s=1; repeatable.")
    ] = None,
) -> Recognition:
    """What the options of these names say of the settings."""
    decide = {"label_threshold": label_threshold, "smoothing_s": smoothing, "silence_s": silence}
    given = {"model": model, "provider": provider, "window_s": window, "decide": decide, "voice": {"profile": voice}}
    return Recognition(config, set_ or [], given)


class Recognition(NamedTuple):
    """What a command line says of the settings: a file, changes to it, and options by the names of the settings."""

    config: Path | None
    changes: list[str]
    given: dict[str, Any]

    def settings(self, **more: Any) -> ListenSettings:
        """The file's settings, changed by --set, then by the options that were given, and by `more` of them.

        Raises:
            InputError: the file cannot be read, or a setting is unknown or out of range.
        """
        from rtser.settings import ListenSettings, checked, read_settings

        content = read_settings(self.config, self.changes)
        overlay(content, self.given | more)
        return checked(ListenSettings, content, f"configuration {self.config}" if self.config else "settings")

    def changes_of(self, groups: Collection[str]) -> list[str]:
        """What --set says of some settings, or groups of them."""
        return [one for one in self.changes if one.split(".")[0].split("=")[0].strip() in groups]

    def of_files(self, channel: int | None) -> ListenSettings:
        """The settings of a command that reads files; InputError where --set changes one that only `listen` has."""
        for change in self.changes_of(LISTEN_ONLY):
            raise InputError(f"--set {change}: this setting is for rtser listen", "leave it out")
        return self.settings(channel=channel)


with_recognition = with_group(recognition)
"""Gives a command the options of `recognition` in place of its first argument."""


def make_session(settings: ListenSettings, learns: bool = False, **more: Any) -> Session:
    """A session with the settings' model, window, decider and voice.

    `learns`: whether the voice ``auto`` learns; `more`: other arguments of `Session`.
    """
    from rtser.models import load
    from rtser.session import Session

    model = load(settings.model, settings.provider)
    voice = stream_voice(settings.voice, model, learns)
    return Session(model, settings.window_s, settings.decide, voice=voice, **more)


def keep_apart(outputs: list[Path | None], inputs: list[Path | None]) -> None:
    """See that no file is written twice, or written and read; raises InputError."""
    taken = {path.resolve(): "read" for path in inputs if path is not None}
    for output in outputs:
        if output is not None:
            if output.resolve() in taken:
                raise InputError(
                    f"{output} would overwrite what is to be {taken[output.resolve()]}", "name another file"
                )
            taken[output.resolve()] = "written"


def overlay(content: dict[str, Any], options: dict[str, Any]) -> None:
    """Put the options that were given over plain settings, in place; None stands for one that was not."""
    for name, value in options.items():
        if isinstance(value, dict):
            given = {key: one for key, one in value.items() if one is not None}
            if given:
                inner = content.setdefault(name, {})
                content[name] = (inner | given) if isinstance(inner, dict) else inner
        elif value is not None:
            content[name] = value
