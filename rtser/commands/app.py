"""The command line: a table of commands."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches
from typing import Annotated

import typer

import rtser
from rtser.commands import (
    adapt,
    batch,
    bench,
    completion,
    config,
    devices,
    embed,
    enrol,
    file,
    listen,
    model,
    plot,
    robustness,
    serve,
    train,
)
from rtser.commands.help import Command, Group
from rtser.errors import InputError, reworded

NEAR = 0.7
"""Similarity of two names, 0 to 1, from which one is suggested for the other."""

app = typer.Typer(
    cls=Group,
    help="Recognise emotion in speech as it is spoken.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(rtser.__version__)
        raise typer.Exit


@app.callback()
def _all(
    _version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Recognise emotion in speech as it is spoken."""


for command in (
    file.file,
    file.demo,
    batch.batch,
    batch.report,
    embed.embed,
    listen.listen,
    config.settings,
    config.config,
    serve.serve,
    enrol.enrol,
    devices.devices,
    devices.doctor,
    model.info,
    plot.plot,
    train.train,
    train.evaluate,
    robustness.robustness,
    train.export,
    adapt.adapt,
    completion.completion,
):
    app.command(cls=Command)(command)

benchmarks = typer.Typer(cls=Group, help="Measure how fast this machine is.", no_args_is_help=True)
for benchmark in (bench.live, bench.streams, bench.file, bench.start):
    benchmarks.command(cls=Command)(benchmark)
app.add_typer(benchmarks, name="bench")


def _near(option: str, possible: Sequence[str]) -> list[str]:
    """The options whose names are near a wrong one; Typer also counts the dashes, which all of them share."""
    return [one for one in possible if get_close_matches(option.lstrip("-"), [one.lstrip("-")], 1, NEAR)]


def run(arguments: list[str] | None = None) -> int:
    """Run a command line, and return its exit code.

    Wrong usage prints one sentence on standard error; the exit code is then 2.

    Args:
        arguments: those after the program's name; None takes them from the process.
    """
    completion.enable()
    try:
        return app(arguments, prog_name="rtser", standalone_mode=False) or 0
    except typer.TyperException as error:  # an empty one has printed the help already
        if possible := getattr(error, "possibilities", None):
            error.possibilities = _near(error.option_name, possible)  # type: ignore[attr-defined]
        if message := reworded(" ".join(error.format_message().split())):
            context: typer.Context | None = getattr(error, "ctx", None)
            advice = f"see {context.command_path if context else 'rtser'} --help"
            typer.echo(f"rtser: {InputError(message, advice)}", err=True)
        return error.exit_code
