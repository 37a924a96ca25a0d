"""Options that several commands share, and the settings that they set."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from rtser.choices import Provider
from rtser.commands.completion import listen_setting_names
from rtser.commands.option_groups import with_group
from rtser.commands.origins import layers
from rtser.commands.voices import stream_voice
from rtser.errors import InputError

if TYPE_CHECKING:
    from rtser.session import Session
    from rtser.settings import ListenSettings


def set_option(example: str, names: Callable[[str], list[str]]) -> Any:
    """The option --set, with an example of a change, and what completes the names of settings."""
    help_ = f"Change any setting, such as {example}; repeatable."
    return typer.Option("--set", metavar="KEY=VALUE", help=help_, autocompletion=names)


ModelOption = Annotated[Path | None, typer.Option("--model", help="Model file; the shipped one if not given.")]
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="Input device: its name, part of it, or its index (rtser devices).")
]
ChannelOption = Annotated[
    int | None, typer.Option("--channel", help="Channel to use, counted from 0; the mean of all if not given.")
]
ProviderOption = Annotated[
    Provider | None, typer.Option("--provider", help="Where the network runs; auto if not given.")
]
FilesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE", help="Audio files: wav, flac, mp3, ...; URLs; -: standard input.", show_default=False
    ),
]
PlainOption = Annotated[bool, typer.Option("--plain", help="Print lines of text instead of the live view.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Write events as JSON lines to standard output.")]
LISTEN_ONLY = ("device", "source", "outputs")
"""Settings that only `rtser listen` has."""


def recognition(
    model: ModelOption = None,
    provider: ProviderOption = None,
    window: Annotated[
        float | None,
        typer.Option("--window", help="Length of the decision window in seconds; the model's own if not given."),
    ] = None,
    label_threshold: Annotated[
        float | None,
        typer.Option(help="Lowest probability at which an emotion is named, 0 to 1; the model's own if not given."),
    ] = None,
    smoothing: Annotated[
        float | None,
        typer.Option("--smoothing", help="Seconds over which the probabilities are averaged; default 0.3."),
    ] = None,
    silence: Annotated[
        float | None,
        typer.Option("--silence", help="Seconds of silence that end an utterance; default and minimum 0.36."),
    ] = None,
    voice: Annotated[
        str | None,
        typer.Option("--voice", help="The speaker's profile from `rtser enrol`; auto: `rtser listen` learns it."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", help="YAML file of settings; `rtser settings` explains each.")
    ] = None,
    set_: Annotated[list[str] | None, set_option("decide.hold_s=1", listen_setting_names)] = None,
) -> Recognition:
    """The settings that the options of these names change."""
    decide = {"label_threshold": label_threshold, "smoothing_s": smoothing, "silence_s": silence}
    given = {"model": model, "provider": provider, "window_s": window, "decide": decide, "voice": {"profile": voice}}
    return Recognition(config, set_ or [], given)


class Recognition(NamedTuple):
    """The settings on a command line: a file, the changes of --set, and options by the names of their settings."""

    config: Path | None
    changes: list[str]
    given: dict[str, Any]

    def settings(self, **more: Any) -> ListenSettings:
        """The file's settings, changed first by --set, then by the given options, and last by `more` settings.

        Raises:
            InputError: the file cannot be read, or a setting is unknown or out of range.
        """
        from rtser.settings import ListenSettings

        if self.given["voice"]["profile"] == "":
            raise InputError("--voice is empty", "name a profile of rtser enrol, or leave it out")
        return layers(self.config, self.changes, self.given | more).checked(ListenSettings)

    def changes_of(self, groups: Collection[str]) -> list[str]:
        """The values of --set that change some settings, or groups of settings."""
        return [one for one in self.changes if one.split(".")[0].split("=")[0].strip() in groups]

    def of_files(self, channel: int | None) -> ListenSettings:
        """The settings of a command that reads files; raises InputError if --set changes one that only `listen` has."""
        for change in self.changes_of(LISTEN_ONLY):
            raise InputError(f"--set {change}: this setting is for rtser listen", "leave it out")
        return self.settings(channel=channel)


with_recognition = with_group(recognition)
"""Replaces the first argument of a command by the options of `recognition`."""


def make_session(settings: ListenSettings, learns: bool = False, **more: Any) -> Session:
    """A session with the settings' model, window, decider and voice.

    `learns`: whether the voice ``auto`` learns; `more`: other arguments of `Session`.
    """
    from rtser.models import load
    from rtser.session import Session

    model = load(settings.model, settings.provider)
    voice = stream_voice(settings.voice, model, learns)
    return Session(model, settings.window_s, settings.decide, voice=voice, **more)


def one_form(**asked: bool) -> None:
    """Raise InputError if more than one of these options (``json``, ``summary``, ``plain``) chooses what is printed."""
    given = [f"--{name}" for name, wanted in asked.items() if wanted]
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} both write to standard output", "name one of them")


def keep_apart(outputs: list[Path | None], inputs: list[Path | None]) -> None:
    """Raise InputError if a file would be written twice, or both written and read."""
    taken = {path.resolve(): "reads" for path in inputs if path is not None}
    for output in outputs:
        if output is not None:
            if output.resolve() in taken:
                raise InputError(
                    f"{output} would overwrite a file that this command {taken[output.resolve()]}", "name another file"
                )
            taken[output.resolve()] = "also writes"
