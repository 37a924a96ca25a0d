"""Model files: the one that ships with rtser, and how a file is loaded."""

from __future__ import annotations

import hashlib
import os
from importlib.resources import files
from pathlib import Path

from rtser.choices import Provider
from rtser.engine.model import Model
from rtser.errors import ArgumentError, ModelError
from rtser.models.checks import checked_model
from rtser.models.providers import open_session

__all__ = ["Provider", "default_model_path", "load", "load_bytes", "read_model"]


def load(path: str | os.PathLike[str] | None = None, provider: Provider = "auto", threads: int = 1) -> Model:
    """Load a model file.

    Args:
        path: the ONNX file; None for the model that ships with rtser.
        provider: where the network runs. ``auto`` takes a GPU if there is one; ``cuda`` fails if there is none.
        threads: threads of the network on the CPU. One is fastest for live streams.

    Raises:
        ModelError: the file is missing, damaged or not a model of this contract.
        ProviderError: ``cuda`` was asked for and is not available.
        ArgumentError: an argument is of the wrong type or out of range.
    """
    if not isinstance(path, str | os.PathLike | None):
        raise ArgumentError(f"a model is named by the path of its file, not by {type(path).__name__}")
    file = default_model_path() if path is None else Path(path)
    return load_bytes(read_model(file), str(file), provider, threads)


def read_model(path: Path) -> bytes:
    """The content of a model file; raises ModelError if it cannot be read."""
    try:
        if path.exists() and not path.is_file():
            raise ModelError(f"model {path} is not a file", "name a model file")
        return path.read_bytes()
    except (OSError, ValueError) as error:  # the latter for a name with a zero in it
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"model {path} cannot be read ({reason})", "name a model file") from None


def load_bytes(content: bytes, source: str = "in memory", provider: Provider = "auto", threads: int = 1) -> Model:
    """Load a model from the content of its file; `source` names it in messages. Raises as `load`."""
    try:
        return checked_model(open_session(content, provider, threads), hashlib.sha256(content).hexdigest(), source)
    except ModelError as error:
        raise ModelError(f"{source}: {error.problem}", error.advice) from None


def default_model_path() -> Path:
    """The model that ships with rtser."""
    return Path(str(files("rtser") / "models" / "default.onnx"))
