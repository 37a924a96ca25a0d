"""The look of emotions: colours that colour-blind people can tell apart (Okabe and Ito), bars, times."""

from __future__ import annotations

from rich.color import Color
from rich.style import Style
from rich.text import Text

from rtser.summary import UNCERTAIN as UNCERTAIN
from rtser.summary import percent as percent

KNOWN = {
    "angry": "#D55E00",
    "fear": "#CC79A7",
    "happy": "#F0E442",
    "neutral": "#B0B0B0",
    "sad": "#56B4E9",
    "surprise": "#009E73",
}
OTHERS = ("#E69F00", "#0072B2", "#FFFFFF", "#8DD3C7", "#FB8072", "#BEBADA")
ON_PAPER = {"#F0E442": "#C8A200", "#FFFFFF": "#6A3D9A"}
"""Colours for lines and areas on white; the terminal's colours would be too pale there."""
TICKS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)
DIM = "#9A9A9A"
WARNING = "#FFB454"
NAME_CELLS = 10
"""Width of the names at the left, in cells."""
EIGHTHS = " ▏▎▍▌▋▊▉█"
LEVELS = " ▁▂▃▄▅▆▇█"


def colour(label: str | None, labels: tuple[str, ...]) -> str:
    """Colour of an emotion, the same everywhere; grey for no emotion."""
    if label is None:
        return "#8A8A8A"
    unknown = [name for name in labels if name not in KNOWN]
    return KNOWN[label] if label in KNOWN else OTHERS[unknown.index(label) % len(OTHERS)]


def ink(label: str | None, labels: tuple[str, ...]) -> str:
    """Colour of an emotion on a white ground."""
    shade = colour(label, labels)
    return ON_PAPER.get(shade, shade)


def dimmed(hexadecimal: str, brightness: float) -> Style:
    """A colour at some brightness, 0..1."""
    rgb = Color.parse(hexadecimal).get_truecolor()
    level = 0.25 + 0.75 * min(1.0, max(0.0, brightness))
    return Style(color=Color.from_rgb(*(part * level for part in rgb)))


def bar(share: float, width: int, style: str | Style) -> Text:
    """A horizontal bar that fills `share` (0..1) of `width` cells, drawn in eighths."""
    eighths = round(min(1.0, max(0.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return Text(("█" * full + (EIGHTHS[rest] if rest else "")).ljust(width), style=style)


def clock_time(seconds: float) -> str:
    """Seconds as m:ss.t or h:mm:ss.t."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"


def tick_step(seconds: float, most: int) -> int:
    """Whole seconds between the marks of a time axis with at most `most` marks: 1, 2, 5, 10, 15, 30, ..."""
    return next((one for one in TICKS_S if seconds / one <= most), TICKS_S[-1])
