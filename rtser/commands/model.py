"""``rtser info``: what a model file contains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rtser.commands.options import ModelOption
from rtser.commands.output import make_console
from rtser.commands.process import failures, single_threaded


def info(
    path: Annotated[
        Path | None, typer.Argument(help="Model file; the shipped one if not given.", show_default=False)
    ] = None,
    model: ModelOption = None,
    json: Annotated[bool, typer.Option("--json", help="Print the metadata as JSON.")] = False,
    tensors: Annotated[
        bool, typer.Option("--tensors", help="Also print the inputs and outputs of the network.")
    ] = False,
) -> None:
    """Describe a model file: labels, states, corpora, licence, measures and limits.

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

            show_model(make_console(), loaded, tensors)
