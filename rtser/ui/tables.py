"""Tables that commands print: the content of a model file, and the input devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rtser.engine.contract import segment_end_s
from rtser.engine.model import Model


def show_model(console: Console, model: Model, tensors: bool = False) -> None:
    """Print everything in the file's metadata; with `tensors`, its inputs and outputs too."""
    about = model.metadata
    rows = {
        "name": about.name,
        "file": model.source,
        "sha256": model.sha256,
        "contract": str(about.contract),
        "labels": ", ".join(about.labels),
        "window": f"{about.window} segments ({segment_end_s(about.window - 1):.2f} s)",
        "threshold": f"{about.label_threshold:.2f}",
        "architecture": about.architecture,
        "trained on": ", ".join(f"{one} (two thirds)" if one in about.held_out else one for one in about.corpora),
        "licence": about.licence,
        "calibration": _lines(about.calibration),
        "average voice": ", ".join(map("{} {:.2f}".format, about.labels, about.baseline or ())) or "unstated",
        "measures": _lines(about.measures),
        "limits": about.limits or "unstated",
        "states": "\n".join(f"{state.name:<20} {state.reset:<10} {state.role}" for state in about.states),
    }
    if tensors:
        rows["tensors"] = "\n".join(f"{way:<3} {name:<20} {shape}" for way, name, shape in model.signature())
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, Text(value))
    console.print(table)


def show_rows(console: Console, columns: Mapping[str, Literal["left", "right"]], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of text below the names of the columns; each column is aligned to the left or the right."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, side in columns.items():
        table.add_column(name, justify=side)
    for row in rows:
        table.add_row(*map(Text, row))
    console.print(table)


def _rounded(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value


def _lines(values: Mapping[str, object], indent: str = "") -> str:
    """Keys and values as lines; an inner mapping is indented below its key."""
    lines = []
    for key, value in values.items():
        inner = "\n" + _lines(value, indent + "  ") if isinstance(value, Mapping) else f" {_rounded(value)}"
        lines.append(f"{indent}{key}:{inner}")
    return "\n".join(lines) or "unstated"
