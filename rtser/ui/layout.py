"""The live view as rows of text, for a terminal of any size."""

from __future__ import annotations

from collections.abc import Callable
from itertools import zip_longest

from rich.text import Text

from rtser.events import UtteranceEvent
from rtser.level import ADVICE
from rtser.ui.bars import bars, input_line
from rtser.ui.headline import headline, small_headline
from rtser.ui.pages import devices_page, figures_page, help_page
from rtser.ui.strip import history, strip
from rtser.ui.style import DIM, UNCERTAIN, WARNING, clock_time, colour, percent
from rtser.ui.view_state import ViewState

WIDE = 120
"""From this width, the utterances are beside the bars instead of below them."""
TALL = 32
"""From this height, headline and strip are larger, and the utterances are always below the strip."""
HIGH = 40
"""From this height, the last ten minutes are shown too."""
LOW = 20
"""Below this height, the headline is one row."""
HALF_SECOND, TWO_SECONDS = 8, 32
"""In hops."""
ALARM = "bold #FFFFFF on #B03030"
RECORDING = "● recording"
FRAME = "#FFFFFF on #30404A"
KEYS_BY_NEED = ("q", "h", "space", "f", "s", "+-", "d", "r", "w")
"""The keys that are named if not all of them fit."""
PAGES = {"figures": figures_page, "help": help_page, "devices": devices_page}


class Layout:
    """Lays out a view state as rows; slow parts are laid out again only every half second."""

    def __init__(self, state: ViewState) -> None:
        self._state = state
        self._kept: dict[str, tuple[object, list[Text]]] = {}

    def rows(self, width: int, height: int) -> list[Text]:
        """The whole view: exactly `height` rows of at most `width` cells."""
        state = self._state
        title, message, foot = _title(state, width), _message(state), _footer(state, width)
        most = max(0, height - 3)
        page = PAGES.get(state.page)
        middle = page(state, width, most) if page else self._now(width, height)
        rows = [title, message, *middle, *([Text()] * height)]
        rows = [*rows[: height - 1], foot][:height]
        for row in rows:
            row.no_wrap, row.overflow = True, "crop"
            row.truncate(width)
        return rows

    def _now(self, width: int, height: int) -> list[Text]:
        """The first page: the present emotion and the past ones."""
        state, size = self._state, (width, height)
        tall = height >= TALL
        top = small_headline(state)
        if height >= LOW:
            word = headline(state, width, tall)
            top = [*word[:-1], input_line(state), word[-1]] if len(word) > 1 else word
        strip_rows = (6, 4) if tall else (2, 1)
        course = self._keep(
            "strip", (size, state.begin_s, state.hops // HALF_SECOND), lambda: strip(state, width, *strip_rows)
        )
        if height >= HIGH:
            key = size, state.begin_s, state.hops // TWO_SECONDS
            course = [*course, Text(), *self._keep("history", key, lambda: history(state, width, 2))]
        beside = width >= WIDE and not tall
        left = width * 2 // 5
        shares = bars(state, left if beside else width)
        free = height - 3 - len(top) - len(course) - (0 if beside else len(shares))
        cells = width - left - 3 if beside else width
        newest = state.utterances[-1] if state.utterances else None
        said = self._keep("said", (size, newest), lambda: _utterances(state, cells, free - 2 if free > 5 else free))
        if beside:
            parts = [[_beside(one, other, left + 3) for one, other in _paired(shares, said)], course]
        else:
            parts = [shares, course, said]
        return [*top, *_spaced(parts, free + len(course) + (0 if beside else len(shares)))]

    def _keep(self, name: str, key: object, make: Callable[[], list[Text]]) -> list[Text]:
        """The rows of this name as they were, unless the key has changed."""
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
    """The source, and the settings that decide."""
    row = Text(" rtser", style="bold")
    if state.source is None:
        return row
    row.append(f"  {state.statistics.source or state.source.source}", style="not bold")
    voice = "" if state.source.voice is None else f", voice {state.source.voice}"
    right = f"{clock_time(int(state.uptime_s))[:-2]} "
    if state.window_s is not None and width >= 50:
        right = f"window {state.window_s:g} s   {right}"
    if state.threshold is not None and width >= 70:
        right = f"named from {percent(state.threshold)}   {right}"
    recording = f" {RECORDING} " if state.recorded else ""
    room = width - len(right) - len(recording)
    row.truncate(max(6, room - len(voice) - 1), overflow="ellipsis")
    row.append(voice, style="not bold")
    row.pad_right(max(1, room - row.cell_len))
    row.stylize(FRAME)
    row.append(recording, style=ALARM)
    row.append(right, style=FRAME)
    return row


def _message(state: ViewState) -> Text:
    """The present problem, the effect of the last key, or the last logged message."""
    level = "" if state.paused else state.statistics.level_problem
    if state.statistics.trouble:
        return Text(f" {state.statistics.trouble}; trying again ", style=ALARM)
    if state.notice:
        return Text(f" {state.notice}", style="bold")
    said = f"{level}: {ADVICE[level]}" if level else state.message
    return Text(f" {said}" if said else "", style=WARNING)


def _footer(state: ViewState, width: int) -> Text:
    """The keys that are offered; if not all fit, the most important ones."""
    last = state.part + 1 >= state.parts
    more = {"h": "back" if last else f"next {state.part + 2}/{state.parts}"} if state.page == "help" else {}
    words = state.keys | more | ({"f": "back"} if state.page == "figures" else {})
    gap = 2 if sum(len(f"{key} {word}") + 2 for key, word in words.items()) <= width else 1
    fitting: list[str] = []
    room = width + 1  # the first key has one space less before it
    for key in ("f", *KEYS_BY_NEED) if state.page == "figures" else KEYS_BY_NEED:
        if key not in fitting and key in words and (room := room - len(f"{key} {words[key]}") - gap) >= 0:
            fitting.append(key)
    row = Text()
    for key in (key for key in words if key in fitting):
        row.append(" " * gap).append(key, style="bold").append(f" {words[key]}")
    if not state.keys:
        row.append("  Ctrl-C ends")
    row = row[1:]
    row.pad_right(max(0, width - row.cell_len))
    row.stylize(FRAME)
    return row


def _utterances(state: ViewState, width: int, most: int) -> list[Text]:
    """The last utterances under a heading, newest first, in at most `most` rows."""
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
