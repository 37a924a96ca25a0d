"""The command line: a table of commands."""

from __future__ import annotations

from typing import Annotated

import typer

import rtser
from rtser.commands import (
    adapt,
    batch,
    bench,
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
    listen.settings,
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
):
    app.command(cls=Command)(command)

benchmarks = typer.Typer(cls=Group, help="Measure how fast this machine is.", no_args_is_help=True)
for benchmark in (bench.live, bench.streams, bench.file, bench.start):
    benchmarks.command(cls=Command)(benchmark)
app.add_typer(benchmarks, name="bench")
