"""Numbers with their nouns."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """A number and its noun, such as ``1 speaker`` and ``2 speakers``."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
