"""``rtser info`` and ``rtser plot``: what a model is, and what it makes of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rtser.commands.options import ChannelOption, ModelOption, keep_apart
from rtser.commands.output import make_console
from rtser.commands.process import failures, packages, single_threaded
from rtser.commands.quiet import quiet_libraries


def info(
    path: Annotated[
        Path | None, typer.Argument(help="Model file; the shipped one if not named.", show_default=False)
    ] = None,
    model: ModelOption = None,
    json: Annotated[bool, typer.Option("--json", help="The metadata as JSON.")] = False,
) -> None:
    """Say what a model file is: labels, states, corpora, licence, measures, limits.

    Examples:
        rtser info
        rtser info mine.onnx --json
    """
    single_threaded()
    with failures():
        from rtser.models import load

        loaded = load(path or model, "cpu")
        if json:
            typer.echo(loaded.metadata.to_json())
        else:
            from rtser.ui.tables import show_model

            show_model(make_console(), loaded)


def plot(
    recording: Annotated[Path, typer.Argument(help="Audio file.", show_default=False)],
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write (.png, .svg or .pdf).")],
    model: ModelOption = None,
    start: Annotated[float, typer.Option(help="Seconds from which to plot.", min=0)] = 0.0,
    end: Annotated[float | None, typer.Option(help="Seconds until which to plot; the end if not named.")] = None,
    channel: ChannelOption = None,
) -> None:
    """Draw what the model makes of a recording: segment posteriors, waveform, log-Mel, attention, decision.

    Examples:
        rtser plot call.wav -o call.png
        rtser plot call.wav -o call.svg --start 10 --end 20
    """
    single_threaded()
    with failures(), quiet_libraries(), packages("plot"):
        from rtser.audio.file import read_audio
        from rtser.engine.contract import SAMPLE_RATE
        from rtser.models import load
        from rtser.ui.plot import draw, recognise_whole, save

        keep_apart([output], [recording, model])
        loaded = load(model, "cpu")
        samples = read_audio(recording, channel)[round(start * SAMPLE_RATE) :]
        if end is not None:
            samples = samples[: max(0, round((end - start) * SAMPLE_RATE))]
        save(draw(recognise_whole(loaded, samples), f"{recording.name} by {loaded.metadata.name}"), output)
        typer.echo(output)
