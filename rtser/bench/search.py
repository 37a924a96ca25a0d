"""Find the largest number for which something still holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")
FINE = 20
"""The search ends where the number is known to one part in so many."""


def largest(attempt: Callable[[int], Result], holds: Callable[[Result], bool], first: int, most: int) -> Result | None:
    """Double a number until it no longer holds, then halve the interval in which the limit lies.

    Args:
        attempt: what is tried with a number.
        holds: whether its result is as it should be.
        first: where to begin, from 1 on.
        most: no number above it is tried.

    Returns:
        the result of the largest number that holds, to one part in 20; None if 1 does not hold.
    """
    best: Result | None = None
    low, high, number = 0, most + 1, min(first, most)
    while high - low > max(1, low // FINE):
        result = attempt(number)
        if holds(result):
            best, low = result, number
        else:
            high = number
        number = min(2 * low, most) if high > most else (low + high) // 2
    return best
