"""The present emotion or state, in letters as large as the room allows."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from pyfiglet import Figlet
from rich.style import Style
from rich.text import Text

from rtser.ui.style import DIM, UNCERTAIN, colour, dimmed, percent
from rtser.ui.view_state import ViewState

FONTS = {"large": "ansi_shadow", "middle": "future"}
"""Fonts whose letters are six and three rows high."""
STATES = ("listening", "no speech", "no sound", "paused", UNCERTAIN)
LEANING_BRIGHTNESS = 0.35


class Word(NamedTuple):
    """The present emotion or state.

    Attributes:
        text: the emotion that is named or is likeliest, or a state.
        confidence: the probability of this emotion as a percentage; empty for a state.
        style: style of both; dim if no emotion is named.
        sure: whether an emotion is named.
    """

    text: str
    confidence: str
    style: str | Style
    sure: bool


def word_of(state: ViewState) -> Word:
    """The word for the state of the view."""
    now = state.now
    if state.paused:
        return Word("paused", "", DIM, False)
    if state.statistics.trouble:
        return Word("no sound", "", "#E05050", False)
    if now is None:
        return Word("listening", "", DIM, False)
    if now.label is not None and now.confidence is not None:
        return Word(now.label, percent(now.confidence), f"bold {colour(now.label, state.labels)}", True)
    if now.speaking and now.leaning:
        style = dimmed(colour(now.leaning.label, state.labels), LEANING_BRIGHTNESS)
        return Word(f"{now.leaning.label}?", percent(now.leaning.confidence), style, False)
    return Word(UNCERTAIN if now.speaking else "no speech", "", DIM, False)


def headline(state: ViewState, width: int, high: bool) -> list[Text]:
    """The word in large or middle letters, or in one row if these do not fit.

    Args:
        state: the state of the view.
        width: width in cells.
        high: whether there is room for the largest letters.
    """
    sizes = [size for size in (("large", "middle") if high else ("middle",)) if _cells(state.labels, size) <= width]
    if not sizes:
        return small_headline(state)
    word, font = word_of(state), FONTS[sizes[0]]
    letters = _large(word.text, font)
    figure = _large(word.confidence, font) if word.confidence else ()
    cells = max(30, *map(len, letters))
    rows = []
    for number, line in enumerate(letters):
        row = Text("  ").append(line.ljust(cells), style=word.style)
        if figure:
            row.append(f"  {figure[number]}", style="bold" if word.sure else DIM)
        rows.append(row)
    return [*rows, Text("  ").append_text(_doubt(state))]


def small_headline(state: ViewState) -> list[Text]:
    """The word in one row."""
    word = word_of(state)
    text = UNCERTAIN if word.text.endswith("?") else word.text
    row = Text("  ").append(f" {text.upper()} ", style=Style(reverse=True, bold=True) + Style.parse(str(_plain(word))))
    row.append(f"  {word.confidence}" if word.sure else "  ", style="bold")
    return [row.append_text(_doubt(state, short=True))]


def _plain(word: Word) -> str | Style:
    return word.style if not word.text.endswith("?") else DIM


def _doubt(state: ViewState, short: bool = False) -> Text:
    """The likeliest emotion while none is named, and the threshold; or that the emotion is held below the threshold."""
    now = state.now
    if state.paused or now is None:
        return Text()
    if now.label is not None and now.confidence is not None and now.confidence < (state.threshold or 0.0):
        return Text("held for a moment", style=DIM)
    if now.label is not None or not now.leaning:
        return Text()
    likeliest = now.leaning
    row = Text("" if short else f"{UNCERTAIN}: ", style=DIM)
    leaning = f"leaning {likeliest.label} {percent(likeliest.confidence)}"
    row.append(leaning, style=dimmed(colour(likeliest.label, state.labels), 2 * LEANING_BRIGHTNESS))
    limit = "" if short or state.threshold is None else f", named from {percent(state.threshold)}"
    return row.append(limit, style=DIM)


@cache
def _cells(labels: tuple[str, ...], size: str) -> int:
    """The width that the longest word needs, so that the letters have the same size for all words."""
    font = FONTS[size]
    figure = max(map(len, _large("100%", font)))
    named = max(len(line) for label in labels for line in _large(f"{label}?", font)) + figure + 2
    return 2 + max(named, *(len(line) for state in STATES for line in _large(state, font)))


@cache
def _large(word: str, font: str) -> tuple[str, ...]:
    """A word in large letters."""
    lines = Figlet(font=font, width=1000).renderText(word).splitlines()
    return tuple(line.rstrip() for line in lines if line.strip())
