"""What can go wrong, each with the exit code that the command line ends with."""

from __future__ import annotations


class RtserError(Exception):
    """One sentence that says what is wrong and what to do."""

    exit_code = 2


class InputError(RtserError):
    """Wrong usage, or an input that cannot be read."""


class ModelError(RtserError):
    """A model file that is not one of ours, is damaged, or speaks another contract."""

    exit_code = 3


class DeviceError(RtserError):
    """No usable audio device."""

    exit_code = 4


class ProviderError(RtserError):
    """The asked-for execution provider cannot be had."""

    exit_code = 5
