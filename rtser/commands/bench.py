"""``rtser bench``: measure how fast this machine is."""

from __future__ import annotations

from json import dumps
from typing import Annotated

import typer

from rtser.commands.options import ModelOption, ProviderOption, make_session, recognition
from rtser.commands.process import failures, single_threaded
from rtser.commands.signals import signals
from rtser.errors import InputError


def live(
    seconds: Annotated[float, typer.Option(help="How long to measure.", min=1)] = 30.0,
    device: Annotated[str | None, typer.Option("--device", help="A real device instead of the paced sample.")] = None,
    model: ModelOption = None,
    provider: ProviderOption = None,
    json: Annotated[bool, typer.Option("--json", help="The figures as JSON.")] = False,
) -> None:
    """Measure, paced in real time: from a segment's last sample to its decision, CPU share and memory."""
    single_threaded()
    with failures() as fail, signals(fail.say) as asked:
        from rtser.bench.live import measure

        session = make_session(recognition(model, provider).settings(), kept_times=None)
        figures = measure(session, seconds, device, asked.stop)
        if json:
            typer.echo(dumps(figures))
        else:
            for name, value in figures.items():
                unit = "ms" if name.endswith("_ms") else "%" if name.endswith("_percent") else ""
                shown = ", ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else value
                typer.echo(f"{name.removesuffix('_ms').removesuffix('_percent'):<16} {shown} {unit}".rstrip())
        if not figures["decisions"]:
            fail.note(InputError("no decision was made in this time", "measure longer, or check the device"))
