"""What can go wrong. Every error of rtser is in this tree, and carries the exit code of the command line.

* RtserError
    * InputError (2): wrong usage, or an input that cannot be read
        * ArgumentError: an argument of a library call is out of range; also a ValueError
        * SettingsError: settings that are unknown or out of range, all of them at once
    * ModelError (3): a file that is not a model of this version
    * DeviceError (4): no usable audio device
    * UnavailableError (5): something that was asked for is not available, such as a server
        * ProviderError: the execution provider that was asked for is not available
    * OutputError (6): an output that could not be written, or is incomplete
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

INSTALL = "in the checkout: pip install -c constraints.txt '.[{}]'"
"""How an extra is installed."""


class RtserError(Exception):
    """One sentence: the problem, and what to do about it.

    Args:
        problem: what is wrong, without a full stop.
        advice: what to do, without a full stop; empty if nothing helps or if it is obvious.

    Attributes:
        exit_code: what the command line exits with.
    """

    exit_code = 2

    def __init__(self, problem: str, advice: str = "") -> None:
        super().__init__(problem, advice)
        self.problem, self.advice = problem.rstrip(" ."), advice.rstrip(" .")

    def __str__(self) -> str:
        sentence = f"{self.problem}; {self.advice}" if self.advice else self.problem
        return sentence if sentence.endswith("?") else f"{sentence}."


class InputError(RtserError):
    """Wrong usage, or an input that cannot be read."""


class ArgumentError(InputError, ValueError):
    """An argument of a library call is out of range."""


class SettingsError(InputError):
    """Settings that are unknown or out of range. Its text has a line for each.

    Args:
        errors: at least one.

    Attributes:
        errors: one for each wrong setting.
    """

    def __init__(self, errors: Sequence[InputError]) -> None:
        super().__init__("\n".join(map(str, errors)))
        self.args, self.errors = (tuple(errors),), tuple(errors)


class ModelError(RtserError):
    """A model file that is not one of ours, is damaged, or follows another contract."""

    exit_code = 3


class DeviceError(RtserError):
    """No usable audio device."""

    exit_code = 4


class UnavailableError(RtserError):
    """Something that was asked for is not available, such as a server."""

    exit_code = 5


class ProviderError(UnavailableError):
    """The execution provider that was asked for is not available."""


class OutputError(RtserError):
    """An output that could not be written, or is incomplete."""

    exit_code = 6


def reason_of(error: OSError) -> str:
    """The system's words for a failure, also if its number is not one of the system (a host without an address)."""
    if error.errno and error.errno > 0:
        return os.strerror(error.errno)
    return error.strerror or str(error)


def reworded(message: str) -> str:
    """What pydantic or Typer says of a value, in the words of this project and without a capital."""
    message = re.sub(r"\bValue error, ", "", message)
    message = re.sub(r"\bInput should", "the value should", message)
    message = re.sub(r", unable to parse .*", "", message)
    message = re.sub(r"\. Did you mean (.*)\?$", r" (did you mean \1?)", message)
    return message[:1].lower() + message[1:]
