"""Model files that a command writes: their names, and what is said of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rtser.errors import InputError

if TYPE_CHECKING:
    from rtser.engine.contract import Metadata

PLAIN_VOICE = (
    "--voice helps less with this model: it does not store how it hears an average speaker, so a guess takes its place."
)


def exported(output: Path, metadata: Metadata, difference: float) -> str:
    """What is said of a model file that was written; `difference`: see `rtser_train.export.package`."""
    apart = f"{max(difference, 1e-7):.7f}"
    checked = f"checked: it decides as the trained network does (the probabilities differ by at most {apart})"
    return f"{output}: model {metadata.name} ({', '.join(metadata.labels)}), {checked}"


def check_model_name(output: Path) -> None:
    """Raise InputError if the name of a model file has another suffix."""
    if output.suffix != ".onnx":
        raise InputError(f"{output}: a model file's name must end in .onnx", "name another file with --output")
