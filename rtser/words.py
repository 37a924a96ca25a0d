"""Numbers with their nouns."""

from __future__ import annotations


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number and its noun, such as ``1 speaker`` and ``2 speakers``; `plural` only where an s is not enough."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"
