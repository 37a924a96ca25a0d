"""What a model file says of itself, for `rtser info`."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from rich.text import Text

from rtser.audio.microphone import Device
from rtser.engine.features import segment_end_s
from rtser.engine.model import Model


def show_model(console: Console, model: Model) -> None:
    """Print everything in the file's metadata, and its inputs and outputs."""
    about = model.metadata
    rows = {
        "name": about.name,
        "file": str(model.path),
        "sha256": model.sha256,
        "contract": str(about.contract),
        "labels": ", ".join(about.labels),
        "window": f"{about.window} segments ({segment_end_s(about.window - 1):.2f} s)",
        "least confidence": f"{about.min_confidence:.2f}",
        "architecture": about.architecture,
        "trained on": ", ".join(about.corpora),
        "licence": about.licence,
        "calibration": _lines(about.calibration),
        "measures": _lines(about.measures),
        "limits": about.limits or "unstated",
        "features": ", ".join(f"{key} {value}" for key, value in about.features.items()),
        "tensors": "\n".join(f"{way:<3} {name:<20} {shape}" for way, name, shape in model.signature()),
    }
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows.items():
        table.add_row(name, Text(value))
    console.print(table)


def show_devices(console: Console, devices: dict[Device, list[int]]) -> None:
    """Print the input devices and the rates that they can be opened with, as a table."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("index", "name", "host API", "channels", "own rate", "rates (kHz)", ""):
        table.add_column(name, justify="right" if name in ("index", "channels", "own rate") else "left")
    for device, rates in devices.items():
        kilohertz = " ".join(f"{rate / 1000:g}" for rate in rates)
        figures = str(device.channels), f"{device.sample_rate / 1000:g}", kilohertz
        table.add_row(
            str(device.index), Text(device.name), device.host_api, *figures, "default" if device.default else ""
        )
    console.print(table if devices else "There is no audio input device; connect a microphone (rtser doctor helps).")


def _lines(values: Mapping[str, object], indent: str = "") -> str:
    """Keys and values as lines; a mapping within a mapping is indented below its key."""
    lines = []
    for key, value in values.items():
        inner = "\n" + _lines(value, indent + "  ") if isinstance(value, Mapping) else f" {value}"
        lines.append(f"{indent}{key}:{inner}")
    return "\n".join(lines) or "unstated"
