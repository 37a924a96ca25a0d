"""The last minutes: emotions and their attention, column by column."""

from __future__ import annotations

import math
from functools import cache
from itertools import groupby, islice, pairwise
from typing import NamedTuple

from rich.style import Style
from rich.text import Text

from rtser.ui.style import DIM, LEVELS, NAME_CELLS, UNCERTAIN, colour, dimmed
from rtser.ui.view_state import STRIP_HOPS, Moment, ViewState, hops_s

MINUTE_HOPS = 1_000
MOST_WEIGHT = 3.0
"""Top of the attention scale, as a multiple of an even share."""
UNSURE_WEIGHT = 0.2
"""Weight of a hop without a sure emotion when a column gets its name; other hops weigh by their probability."""


class _Column(NamedTuple):
    """Some neighbouring hops of the strip: the most frequent emotion, its confidence, the largest attention."""

    kind: str | None  # an emotion, UNCERTAIN, or None for silence
    confidence: float
    weight: float


def strip(state: ViewState, width: int, rows: int, salience_rows: int) -> list[Text]:
    """The last minute: emotions, dimmed by confidence, with their names; the attention of each moment; the time."""
    columns, size = _columns(state, _cells(width), MINUTE_HOPS)
    salience = [Text(f"{name:>{NAME_CELLS}} ", style=DIM) for name in [*[""] * (salience_rows - 1), "attention"]]
    for column in columns:
        eighths = math.ceil(column.weight / MOST_WEIGHT * 8 * salience_rows)
        for number, row in enumerate(salience):
            row.append(LEVELS[max(0, min(8, eighths - 8 * (salience_rows - 1 - number)))])
    step_s = 10 if width >= 60 else 30
    return [*_emotions(state, columns, "emotion", rows), *salience, _axis(len(columns), size, width, step_s)]


def history(state: ViewState, width: int, rows: int) -> list[Text]:
    """The last ten minutes: emotions, and the time in minutes."""
    columns, size = _columns(state, _cells(width), STRIP_HOPS)
    return [*_emotions(state, columns, "10 minutes", rows), _axis(len(columns), size, width, 60)]


def _cells(width: int) -> int:
    return max(1, width - NAME_CELLS - 2)


def _emotions(state: ViewState, columns: list[_Column], title: str, rows: int) -> list[Text]:
    emotion = [Text(f"{name:>{NAME_CELLS}} ", style=DIM) for name in (title, *[""] * (rows - 1))]
    for column, letter in zip(columns, _names(columns), strict=True):
        style, blank = _shade(column, state.labels), "░" if column.kind == UNCERTAIN else " "
        for number, row in enumerate(emotion):
            row.append((letter if number == 0 else "") or blank, style=style)
    return emotion


def _names(columns: list[_Column]) -> list[str]:
    """A letter for each column, or an empty text: only whole names, which may extend into the silence after them."""
    letters = [""] * len(columns)
    stretches = [(kind, len(list(run))) for kind, run in groupby(columns, lambda column: column.kind)]
    begin = 0
    for (kind, cells), (following, more) in pairwise([*stretches, (None, 1)]):
        room = cells + (more if following is None else 0) - 1  # one cell stays free before the next name
        if kind and len(kind) <= room:
            letters[begin : begin + len(kind)] = kind
        begin += cells
    return letters


def _columns(state: ViewState, count: int, most_hops: int) -> tuple[list[_Column], int]:
    """The strip's last columns, and the hops per column; a column keeps its hops while the strip moves."""
    size = math.ceil(most_hops / count)
    shown = min(len(state.strip), most_hops)
    hops = islice(state.strip, len(state.strip) - shown, None)
    columns = []
    for _, group in groupby(enumerate(hops, state.hops - shown), lambda hop: hop[0] // size):
        columns.append(_column([moment for _, moment in group]))
    return [*[_Column(None, 0.0, 0.0)] * (count - len(columns)), *columns[-count:]], size


def _column(moments: list[Moment]) -> _Column:
    votes: dict[str | None, float] = {}
    for moment in moments:
        votes[moment.kind] = votes.get(moment.kind, 0.0) + (moment.confidence or UNSURE_WEIGHT)
    kind = max(votes, key=votes.__getitem__)
    sure = [moment.confidence for moment in moments if moment.kind == kind]
    return _Column(kind, sum(sure) / len(sure), max(moment.weight for moment in moments))


def _shade(column: _Column, labels: tuple[str, ...]) -> Style:
    if column.kind is None or column.kind == UNCERTAIN:
        return Style.parse(DIM)
    return _on(colour(column.kind, labels), round(8 * column.confidence))


@cache
def _on(shade: str, eighths: int) -> Style:
    return Style(color="#000000", bgcolor=dimmed(shade, eighths / 8).color)


def _axis(columns: int, size: int, width: int, step_s: int) -> Text:
    """Times below a strip, in seconds, or in minutes if the steps are whole minutes."""
    line = [" "] * width
    for back_s in range(0, round(hops_s(columns * size)) + 1, step_s):
        at = NAME_CELLS + columns - round(back_s / hops_s(size))
        mark = "now" if back_s == 0 else f"-{back_s // 60} min" if step_s >= 60 else f"-{back_s}"
        if at - len(mark) + 1 > NAME_CELLS and at < width:
            line[at - len(mark) + 1 : at + 1] = mark
    return Text("".join(line), style=DIM)
