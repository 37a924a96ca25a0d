"""Recognise emotion in speech as it is spoken.

>>> import rtser
>>> model = rtser.load()
>>> stream = rtser.Stream(model)
>>> for decision in stream.push(samples):  # float32, 16 kHz, any length
...     print(decision.time_s, decision.label, decision.confidence)
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rtser.engine.bank import Bank
    from rtser.engine.decider import Decider, DecideSettings
    from rtser.engine.decision import Decision
    from rtser.engine.model import Model
    from rtser.engine.stream import Stream
    from rtser.errors import (
        ArgumentError,
        DeviceError,
        InputError,
        ModelError,
        OutputError,
        ProviderError,
        RtserError,
        UnavailableError,
    )
    from rtser.models import load

_HOMES = {
    "Bank": "engine.bank",
    "DecideSettings": "engine.decider",
    "Decider": "engine.decider",
    "Decision": "engine.decision",
    "Model": "engine.model",
    "Stream": "engine.stream",
    "load": "models",
}
_ERRORS = "Argument Device Input Model Output Provider Rtser Unavailable"
_HOMES |= dict.fromkeys((f"{name}Error" for name in _ERRORS.split()), "errors")
__all__ = [
    "ArgumentError",
    "Bank",
    "DecideSettings",
    "Decider",
    "Decision",
    "DeviceError",
    "InputError",
    "Model",
    "ModelError",
    "OutputError",
    "ProviderError",
    "RtserError",
    "Stream",
    "UnavailableError",
    "load",
]

try:
    __version__ = version("rtser")
except PackageNotFoundError:  # a bare checkout
    __version__ = "0.0.0"


def __getattr__(name: str) -> Any:
    """Import a public name on first use: ``import rtser`` alone stays quick."""
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"rtser.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'rtser' has no attribute {name!r}")
