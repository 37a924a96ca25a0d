"""Recognise emotion in speech as it is spoken.

>>> import rtser
>>> model = rtser.load()
>>> stream = rtser.Stream(model)
>>> for decision in stream.push(samples):  # float32, 16 kHz, any length
...     print(decision.time_s, decision.label, decision.confidence)
"""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtser.engine.bank import Bank, Decision
    from rtser.engine.decider import Decider
    from rtser.engine.model import Model, Provider
    from rtser.engine.stream import Stream

__all__ = ["Bank", "Decider", "Decision", "Model", "Stream", "load"]

try:
    __version__ = version("rtser")
except PackageNotFoundError:  # a bare checkout
    __version__ = "0.0.0"

_HOMES = {"Bank": "bank", "Decider": "decider", "Decision": "bank", "Model": "model", "Stream": "stream"}


def load(path: str | os.PathLike[str] | None = None, provider: Provider = "auto") -> Model:
    """Load a model file; None for the model that ships with rtser.

    Raises:
        rtser.errors.ModelError: the file is missing, damaged or not a model of this contract.
        rtser.errors.ProviderError: ``cuda`` was asked for and cannot be had.
    """
    from rtser.engine.model import Model

    return Model(path, provider)


def __getattr__(name: str) -> Any:
    """Import the engine on first use: ``import rtser`` alone stays quick."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"rtser.engine.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'rtser' has no attribute {name!r}")
