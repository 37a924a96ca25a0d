"""The input's level, the speech, and a bar for each emotion."""

from __future__ import annotations

from rich.style import Style
from rich.text import Text

from rtser.ui.style import DIM, NAME_CELLS, WARNING, bar, colour, dimmed, percent
from rtser.ui.view_state import ViewState

LOWEST_DB = -60.0
INPUT = "#7F93A8"
"""Colour of the bars of level and speech; no emotion has it."""
MARK = "┊"
"""Marks the label threshold."""
UNSURE_BRIGHTNESS = 0.45


def input_line(state: ViewState) -> Text:
    """Input level and speech state."""
    level, problem = state.statistics.level_db, state.statistics.level_problem
    row = Text("  level ", style=DIM)
    if state.paused:
        meanwhile = "the file waits" if state.holds else "sound is thrown away"
        return Text(f"  {meanwhile} until space is pressed again", style=DIM)
    row.append_text(bar(1 - level / LOWEST_DB, 12, INPUT)).append(f"{max(level, -99):4.0f} dB", style=DIM)
    row.append(f"  {problem}" if problem else "", style=WARNING)
    row.append("   speech ", style=DIM)
    row.append_text(bar(state.now.speech if state.now else 0.0, 12, INPUT))
    spoken = state.now is not None and state.now.speaking
    return row.append(" speaking" if spoken else " silent", style="bold" if spoken else DIM)


def bars(state: ViewState, width: int) -> list[Text]:
    """A bar for each emotion, with a mark at the threshold; empty without speech, dim while no emotion is sure."""
    now = state.now if state.now and state.now.speaking and not state.paused else None
    rows = []
    for label in state.labels:
        share = now.emotions[label] if now and now.emotions else None
        chosen = now is not None and now.label == label
        row = Text(f"{label:>{NAME_CELLS}} ", style="bold" if chosen else "")
        row.append(f"{'' if share is None else percent(share):>4} ")
        shade = colour(label, state.labels)
        style = Style.parse(shade) if now and now.label else dimmed(shade, UNSURE_BRIGHTNESS)
        rows.append(row.append_text(_marked(share or 0.0, max(1, width - NAME_CELLS - 8), style, state.threshold)))
    return rows


def _marked(share: float, cells: int, style: Style, threshold: float | None) -> Text:
    """A bar with a mark at the threshold."""
    row = bar(share, cells, style)
    if threshold is None:
        return row
    at = min(cells - 1, int(threshold * cells))
    covered = row.plain[at] == "█"
    marked = Text().append_text(row[:at])
    marked.append(MARK, style=Style(color="#000000", bgcolor=style.color) if covered else DIM)
    return marked.append_text(row[at + 1 :])
