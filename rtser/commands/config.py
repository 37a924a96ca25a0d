"""``rtser settings`` and ``rtser config``: all settings, and those in force."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rtser.commands.listen import listen
from rtser.commands.option_groups import with_parameters
from rtser.commands.origins import (
    DEFAULT,
    LISTEN_OPTIONS,
    SERVE_OPTIONS,
    by_setting,
    from_environment,
    layers,
)
from rtser.commands.process import failures
from rtser.commands.serve import serve
from rtser.errors import InputError

if TYPE_CHECKING:
    from rtser.settings import Settings

OfOption = Annotated[
    Literal["listen", "serve"], typer.Argument(metavar="COMMAND", help="Which command's settings: listen or serve.")
]


def settings(of: OfOption = "listen") -> None:
    """Print every setting with its default and meaning, as a YAML file that you can change and pass to --config.

    Examples:
        rtser settings > my.yaml
        rtser settings serve > server.yaml
    """
    with failures():
        from rtser.settings import settings_yaml

        kind, header, _ = _kind(of)
        typer.echo(settings_yaml(kind(), header), nl=False)


def _with_their_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command those options of `rtser listen` and `rtser serve` that set settings."""
    names = {*LISTEN_OPTIONS, "config", "set_"}
    listens = [one for name, one in inspect.signature(listen).parameters.items() if name in names]
    serves = inspect.signature(serve, eval_str=True).parameters.values()
    others = [one for one in serves if one.name in SERVE_OPTIONS and one.name not in LISTEN_OPTIONS]
    own = list(inspect.signature(command, eval_str=True).parameters.values())[:-1]
    return with_parameters(command, [*own, *listens, *others])


@_with_their_options
def config(
    of: OfOption = "listen",
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    **options: Any,
) -> None:
    """Print the settings in force, and the origin of each: default, file, --set, option or environment.

    It accepts the options of the named command that set settings. You can save the output as a file for --config.

    Examples:
        rtser config --config my.yaml --set decide.hold_s=1
        rtser config listen --window 2 --json
        rtser config serve --port 9000
    """
    with failures():
        kind, _, own = _kind(of)
        file: Path | None = options.pop("config")
        changes: list[str] = options.pop("set_") or []
        for option, value in options.items():
            if value is not None and value is not False and option not in own:
                raise InputError(f"--{option.replace('_', '-')} is not an option of rtser {of}", "leave it out")
        layered = layers(file, changes, by_setting(options, own))
        settings = layered.checked(kind)
        origins = layered.origins | from_environment(settings)
        if json:
            from rtser.settings import leaves

            plain = leaves(settings.model_dump(mode="json"))
            shown = {name: {"value": value, "from": str(origins.get(name, DEFAULT))} for name, value in plain}
            typer.echo(dumps(shown, indent=2))
        else:
            from rtser.settings import commented_yaml
            from rtser.settings_problems import setting_names

            plain_ones = setting_names(kind)
            lines = commented_yaml(
                settings, lambda name, _: str(origins.get(name, DEFAULT)) if name in plain_ones else ""
            )
            typer.echo("\n".join([f"# The settings of `rtser {of}` in force, and where each comes from.", *lines]))


def _kind(of: str) -> tuple[type[Settings], str, dict[str, str]]:
    """The settings of a command, the header of their file, and the options that set some of them."""
    if of == "serve":
        from rtser.serve.settings import SERVE_HEADER, ServeSettings

        return ServeSettings, SERVE_HEADER, SERVE_OPTIONS
    from rtser.settings import LISTEN_HEADER, ListenSettings

    return ListenSettings, LISTEN_HEADER, LISTEN_OPTIONS
