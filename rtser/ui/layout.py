"""The live view as rows of text, for a terminal of any size."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from itertools import groupby, zip_longest
from typing import NamedTuple

from pyfiglet import Figlet
from rich.style import Style
from rich.text import Text

from rtser.engine.contract import SAMPLE_RATE
from rtser.events import UtteranceEvent
from rtser.statistics import summary_ms
from rtser.ui.style import LEVELS, UNCERTAIN, bar, clock_time, colour, dimmed, percent
from rtser.ui.view_state import STRIP_HOPS, Moment, ViewState, hops_s

WIDE = 120
"""From this width on, the utterances stand beside the bars instead of below."""
TALL = 32
"""From this height on, the strip is larger, and the utterances always stand below it."""
HALF_SECOND = 8
"""In hops."""
NAME_CELLS = 10
LOWEST_DB = -60.0
ALARM = "bold #FFFFFF on #B03030"
DIM = "#9A9A9A"
MOST_WEIGHT = 3.0
"""Top of the attention scale: so many times an even share."""


class Layout:
    """Lays out a view state as rows; what changes slowly is laid out anew only every half second."""

    def __init__(self, state: ViewState) -> None:
        self._state = state
        self._kept: dict[str, tuple[object, list[Text]]] = {}

    def rows(self, width: int, height: int) -> list[Text]:
        """The whole view: exactly `height` rows of at most `width` cells."""
        state = self._state
        size, seconds = (width, height), int(state.uptime_s)
        tall = height >= TALL
        headline = _headline(state, width) if height >= 20 else _small_headline(state)
        strip_rows = (6, 4) if tall else (2, 1)
        strip = self._keep("strip", (size, state.hops // HALF_SECOND), lambda: _strip(state, width, *strip_rows))
        title = self._keep("title", (size, state.source), lambda: [_title(state, width)])
        status = self._keep("status", (size, seconds), lambda: [_status(state, width)])
        beside = width >= WIDE and not tall
        left = width * 2 // 5
        bars = _bars(state, left if beside else width)
        free = height - len(title) - 1 - len(headline) - len(strip) - len(status) - (0 if beside else len(bars))
        cells = width - left - 3 if beside else width
        newest = state.utterances[-1] if state.utterances else None
        said = self._keep("said", (size, newest), lambda: _utterances(state, cells, free - 2 if free > 5 else free))
        if beside:
            parts = [[_beside(one, other, left + 3) for one, other in _paired(bars, said)], strip]
        else:
            parts = [bars, strip, said]
        middle = _spaced(parts, free + len(strip) + (0 if beside else len(bars)))
        rows = [*title, _message(state), *headline, *middle, *([Text()] * height)]
        rows = [*rows[: height - 1], *status][:height]
        for row in rows:
            row.no_wrap, row.overflow = True, "crop"
            row.truncate(width)
        return rows

    def _keep(self, name: str, key: object, make: Callable[[], list[Text]]) -> list[Text]:
        """Some rows as they were, unless the key has changed."""
        if name not in self._kept or self._kept[name][0] != key:
            self._kept[name] = key, make()
        return self._kept[name][1]


def _spaced(parts: list[list[Text]], most: int) -> list[Text]:
    """Parts below each other, with an empty row between them where there is room."""
    room = most - sum(map(len, parts))
    rows: list[Text] = []
    for part in parts:
        if rows and part and room > 0:
            rows.append(Text())
            room -= 1
        rows += part
    return rows


def _paired(one: list[Text], other: list[Text]) -> list[tuple[Text, Text]]:
    return list(zip_longest(one, other, fillvalue=Text()))


def _beside(left: Text, right: Text, at: int) -> Text:
    row = left.copy()
    row.pad_right(max(0, at - row.cell_len))
    return row.append_text(right)


def _title(state: ViewState, width: int) -> Text:
    if state.source is None:
        return Text(" rtser")
    rate = state.source.sample_rate
    rates = f"{rate / 1000:g} kHz" if rate == SAMPLE_RATE else f"{rate / 1000:g} to {SAMPLE_RATE / 1000:g} kHz"
    right = f"{state.source.model.name}  {state.source.provider.removesuffix('ExecutionProvider')}  {rates} "
    row = Text(" rtser", style="bold")
    row.append(f"  {state.source.source}", style="not bold")
    voice = "" if state.source.voice is None else f", voice {state.source.voice}"
    row.truncate(max(6, width - len(right) - len(voice) - 1), overflow="ellipsis")
    row.append(voice, style="not bold")
    row.pad_right(max(1, width - row.cell_len - len(right)))
    row.append(right, style="not bold")
    row.stylize("#FFFFFF on #30404A")
    return row


def _message(state: ViewState) -> Text:
    if state.statistics.trouble:
        return Text(f" {state.statistics.trouble}; trying again ", style=ALARM)
    return Text(f" {state.message}" if state.message else "", style="#E69F00")


def _word(state: ViewState) -> tuple[str, str, str]:
    """What is said now: the word, its confidence, its colour."""
    now = state.now
    if state.statistics.trouble:
        return "no sound", "", "#E05050"
    if now is None:
        return "listening", "", DIM
    if now.label is not None and now.confidence is not None:
        return now.label, percent(now.confidence), colour(now.label, state.labels)
    return (UNCERTAIN if now.speaking else "no speech"), "", DIM


@cache
def _large(word: str) -> tuple[str, ...]:
    """A word in letters three rows high."""
    lines = Figlet(font="future", width=1000).renderText(word).splitlines()
    return tuple(line.rstrip() for line in lines if line.strip())


def _headline(state: ViewState, width: int) -> list[Text]:
    word, confidence, shade = _word(state)
    large, figure = _large(word), _large(confidence) if confidence else ()
    cells = max(map(len, large))
    if cells + 16 > width:
        return _small_headline(state)
    lines = []
    for number, line in enumerate(large):
        row = Text("  ").append(line.ljust(max(cells, 30)), style=f"bold {shade}")
        if figure:
            row.append(f"  {figure[number]}", style="bold")
        lines.append(row)
    return [*lines, _input_line(state), Text(f"  {_leaning(state)}", style=DIM)]


def _small_headline(state: ViewState) -> list[Text]:
    word, confidence, shade = _word(state)
    row = Text("  ").append(f" {word.upper()} ", style=f"bold reverse {shade}").append(f"  {confidence}", "bold")
    return [row.append(_leaning(state), style=DIM)]


def _leaning(state: ViewState) -> str:
    """The likeliest emotion while none is named."""
    leaning = state.now.leaning if state.now and state.now.label is None else None
    return f"leaning {leaning.label} {percent(leaning.confidence)}" if leaning else ""


def _input_line(state: ViewState) -> Text:
    """Input level and speech state."""
    level = state.statistics.level_db
    row = Text("  level ", style=DIM)
    row.append_text(bar(1 - level / LOWEST_DB, 12, "#56B4E9")).append(f"{max(level, -99):4.0f} dB", style=DIM)
    row.append("   speech ", style=DIM)
    speech = state.now.speech if state.now else 0.0
    row.append_text(bar(speech, 12, "#009E73"))
    spoken = state.now is not None and state.now.speaking
    return row.append(" speaking" if spoken else " silent", style="bold #009E73" if spoken else DIM)


def _bars(state: ViewState, width: int) -> list[Text]:
    lines = []
    for label in state.labels:
        share = state.now.emotions[label] if state.now and state.now.emotions else 0.0
        chosen = state.now is not None and state.now.label == label
        line = Text(f"{label:>{NAME_CELLS}} ", style="bold" if chosen else "").append(f"{percent(share):>4} ")
        lines.append(line.append_text(bar(share, max(1, width - NAME_CELLS - 8), colour(label, state.labels))))
    return lines


class _Column(NamedTuple):
    """Some neighbouring hops of the strip: what is named most, how surely, the most that one weighed."""

    kind: str | None  # an emotion, UNCERTAIN, or None for silence
    confidence: float
    weight: float


def _columns(state: ViewState, count: int) -> tuple[list[_Column], int]:
    """The strip's last columns, and how many hops one holds; a column keeps its hops while the strip moves on."""
    size = math.ceil(STRIP_HOPS / count)
    first = state.hops - len(state.strip)
    columns = []
    hops = list(state.strip)
    for _, group in groupby(enumerate(hops, first), lambda hop: hop[0] // size):
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


def _strip(state: ViewState, width: int, rows: int, salience_rows: int) -> list[Text]:
    """The last minute: emotions, dimmed by confidence; below them how much each moment weighed; the time."""
    cells = max(1, width - NAME_CELLS - 2)
    columns, size = _columns(state, cells)
    names = ["emotion", *[""] * (rows - 1)]
    emotion = [Text(f"{name:>{NAME_CELLS}} ", style=DIM) for name in names]
    for kind, run in groupby(columns, lambda column: column.kind):
        stretch = list(run)
        name = (kind or "")[: len(stretch)] if kind and len(stretch) > min(3, len(kind)) else ""
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


def _shade(column: _Column, labels: tuple[str, ...]) -> Style:
    if column.kind is None or column.kind == UNCERTAIN:
        return Style.parse(DIM)
    return _on(colour(column.kind, labels), round(8 * column.confidence))


@cache
def _on(shade: str, eighths: int) -> Style:
    return Style(color="#000000", bgcolor=dimmed(shade, eighths / 8).color)


def _axis(columns: int, size: int, width: int) -> Text:
    """Times below the strip, every ten seconds or so."""
    line = [" "] * width
    step_s = 10 if width >= 60 else 30
    for back_s in range(0, 61, step_s):
        at = NAME_CELLS + columns - round(back_s / hops_s(size))
        mark = "now" if back_s == 0 else f"-{back_s}"
        if at - len(mark) + 1 > NAME_CELLS and at < width:
            line[at - len(mark) + 1 : at + 1] = mark
    return Text("".join(line), style=DIM)


def _utterances(state: ViewState, width: int, most: int) -> list[Text]:
    """The last utterances under a heading, newest first, in at most so many rows."""
    if most < 2:
        return []
    heading = Text(f"{'utterance':<21}{'':<11}{'':>5}", style=DIM)
    others = max(0, (width - 37) // 14)
    return [heading, *(_utterance(event, state.labels, others) for event in list(state.utterances)[:-most:-1])]


def _utterance(event: UtteranceEvent, labels: tuple[str, ...], others: int) -> Text:
    ranked = sorted(event.emotions.items(), key=lambda item: -item[1])
    end = clock_time(event.end) + ("" if event.final else " …")
    row = Text(f"{clock_time(event.start):>9} - {end:<9}")
    row.append(f"{event.label or UNCERTAIN:<11}", style=f"bold {colour(event.label, labels)}")
    row.append(f"{percent(event.leaning.confidence):>5}")
    shown = ranked[1 : others + 1] if event.label else ranked[:others]
    return row.append("".join(f"   {label} {percent(share)}" for label, share in shown), style=DIM)


def _status(state: ViewState, width: int) -> Text:
    """The run's figures."""
    statistics = state.statistics
    step = summary_ms(statistics.steps_s)
    parts = [f"step {step['p50']:.1f}/{step['p99']:.1f} ms" if step["p50"] is not None else "step -"]
    if statistics.latency_s is not None:
        parts.append(f"lag {1000 * statistics.latency_s:.0f} ms")
        parts.append(f"dropped {statistics.dropped_samples / SAMPLE_RATE:.1f} s")
        parts.append(f"missing {statistics.missing_samples / SAMPLE_RATE:.0f} s")
    parts.append(f"up {clock_time(int(state.uptime_s))[:-2]}")
    while len(parts) > 1 and len("  ".join(parts)) > width - 1:
        del parts[-1]
    return Text(" " + "  ".join(parts).ljust(width - 1), style="#FFFFFF on #30404A")
