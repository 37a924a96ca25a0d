"""The last minutes: emotions and what they weighed, column by column."""

from __future__ import annotations

import math
from functools import cache
from itertools import groupby, islice
from typing import NamedTuple

from rich.style import Style
from rich.text import Text

from rtser.ui.style import DIM, LEVELS, NAME_CELLS, UNCERTAIN, colour, dimmed
from rtser.ui.view_state import STRIP_HOPS, Moment, ViewState, hops_s

LONG = 140
"""From this width on, the strip shows two minutes instead of one."""
MINUTE_HOPS = 1_000
MOST_WEIGHT = 3.0
"""Top of the attention scale: so many times an even share."""


class _Column(NamedTuple):
    """Some neighbouring hops of the strip: what is named most, how surely, the most that one weighed."""

    kind: str | None  # an emotion, UNCERTAIN, or None for silence
    confidence: float
    weight: float


def strip(state: ViewState, width: int, rows: int, salience_rows: int) -> list[Text]:
    """Emotions, dimmed by confidence, with their names where those fit; how much each moment weighed; the time."""
    columns, size = _columns(state, max(1, width - NAME_CELLS - 2), STRIP_HOPS if width >= LONG else MINUTE_HOPS)
    names = ["emotion", *[""] * (rows - 1)]
    emotion = [Text(f"{name:>{NAME_CELLS}} ", style=DIM) for name in names]
    for kind, run in groupby(columns, lambda column: column.kind):
        stretch = list(run)
        name = kind if kind and len(stretch) >= len(kind) else ""
        for place, column in enumerate(stretch):
            style = _shade(column, state.labels)
            for number, row in enumerate(emotion):
                letter = name[place] if number == 0 and place < len(name) else "░" if kind == UNCERTAIN else " "
                row.append(letter, style=style)
    salience = [Text(f"{name:>{NAME_CELLS}} ", style=DIM) for name in [*[""] * (salience_rows - 1), "attention"]]
    for column in columns:
        eighths = math.ceil(column.weight / MOST_WEIGHT * 8 * salience_rows)
        for number, row in enumerate(salience):
            row.append(LEVELS[max(0, min(8, eighths - 8 * (salience_rows - 1 - number)))])
    return [*emotion, *salience, _axis(len(columns), size, width)]


def _columns(state: ViewState, count: int, most_hops: int) -> tuple[list[_Column], int]:
    """The strip's last columns, and how many hops one holds; a column keeps its hops while the strip moves on."""
    size = math.ceil(most_hops / count)
    shown = min(len(state.strip), most_hops)
    hops = islice(state.strip, len(state.strip) - shown, None)
    columns = []
    for _, group in groupby(enumerate(hops, state.hops - shown), lambda hop: hop[0] // size):
        columns.append(_column([moment for _, moment in group]))
    blank = [_Column(None, 0.0, 0.0)] * (count - len(columns))
    return [*blank, *columns[-count:]], size


def _column(moments: list[Moment]) -> _Column:
    votes: dict[str | None, float] = {}
    decisions = [moment.decision for moment in moments if moment.decision is not None]
    for decision in decisions:
        kind = decision.label or (UNCERTAIN if decision.speaking else None)
        votes[kind] = votes.get(kind, 0.0) + (decision.confidence or 0.2)
    if not votes:
        return _Column(None, 0.0, 0.0)
    kind = max(votes, key=votes.__getitem__)
    sure = [decision.confidence for decision in decisions if decision.label == kind and decision.confidence]
    return _Column(kind, sum(sure) / len(sure) if sure else 0.0, max(moment.weight for moment in moments))


def _shade(column: _Column, labels: tuple[str, ...]) -> Style:
    if column.kind is None or column.kind == UNCERTAIN:
        return Style.parse(DIM)
    return _on(colour(column.kind, labels), round(8 * column.confidence))


@cache
def _on(shade: str, eighths: int) -> Style:
    return Style(color="#000000", bgcolor=dimmed(shade, eighths / 8).color)


def _axis(columns: int, size: int, width: int) -> Text:
    """Times below the strip."""
    line = [" "] * width
    whole_s = round(hops_s(columns * size))
    step_s = 20 if whole_s > 90 else 10 if width >= 60 else 30
    for back_s in range(0, whole_s + 1, step_s):
        at = NAME_CELLS + columns - round(back_s / hops_s(size))
        mark = "now" if back_s == 0 else f"-{back_s}"
        if at - len(mark) + 1 > NAME_CELLS and at < width:
            line[at - len(mark) + 1 : at + 1] = mark
    return Text("".join(line), style=DIM)
