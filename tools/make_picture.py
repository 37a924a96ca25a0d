"""Make the moving picture of the live view, docs/live.svg, from a real run.

    python tools/make_picture.py AUDIO [AUDIO ...] [--seconds 12]

The recordings are recognised one after another with pauses between them. The picture shows the last seconds of this run
as on a terminal, and repeats them. It is one SVG with CSS animation: it is sharp at any size, and it loads nothing. It
does not move if the reader's system asks for less motion. Run this tool again when the look of the view changes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from itertools import chain, groupby
from pathlib import Path

import numpy as np
from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text

from rtser.audio.file import read_audio
from rtser.audio.source import MemorySource, split
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, Float32
from rtser.events import DecisionEvent, EndEvent
from rtser.models import load
from rtser.session import Session
from rtser.ui.keys import NAMES
from rtser.ui.layout import Layout
from rtser.ui.view_state import ViewState

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT = 100, 28
"""Size of the terminal, in cells."""
CELL_PX, LINE_PX, MARGIN_PX, TITLE_PX = 12, 23, 12, 34
"""A row is no higher than a letter of 20 px, so that its lines meet those of the next row without a gap."""
PAUSE_S = 0.9
FRAMES_S = 5
"""Frames per second; the view itself draws ten."""
LAST_FRAMES = 8
"""The last frame is shown for this many frames."""
UNTIL_S = 0.3
"""The picture ends this many seconds before the end of the last recording, during speech."""
GROUND, INK = "#1f2428", "#c5c8c6"
CONSOLE = Console(width=WIDTH, color_system="truecolor", force_terminal=True)
OPTIONS = CONSOLE.options.update(width=WIDTH, no_wrap=True, overflow="crop", height=None)
BLOCKS = {chr(0x2590 - eighths): (eighths / 8, 1.0) for eighths in range(1, 9)}
BLOCKS |= {chr(0x2580 + eighths): (1.0, eighths / 8) for eighths in range(1, 9)}
"""Block characters and how much of a cell they fill, across and from below. Drawn as boxes, they leave no seams."""


@dataclass(frozen=True)
class Run:
    """A row of the view that does not change from frame `first` until frame `after`, which is excluded."""

    drawing: str
    first: int
    after: int


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=12.0, help="seconds of the run's end to show")
    options = parser.parse_args()
    frames = frames_of(options.audio, options.seconds)
    picture = animated(frames)
    (ROOT / "docs" / "live.svg").write_text(picture, encoding="utf-8")
    print(f"docs/live.svg: {len(frames)} frames, {len(picture) / 1e6:.2f} MB")


def frames_of(paths: list[Path], seconds: float) -> list[list[Text]]:
    """The rows of each frame, oldest first."""
    session = Session(load())
    state = ViewState(session.model.labels, session.window, keys=dict(NAMES))
    state.threshold, state.window_s = session.controls.label_threshold, session.controls.window_s
    layout = Layout(state)
    pause = np.zeros(round(PAUSE_S * SAMPLE_RATE), np.float32)
    sounds: list[Float32] = list(chain.from_iterable((pause, read_audio(path)) for path in paths))
    sound = np.concatenate(sounds)[: -round(UNTIL_S * SAMPLE_RATE)]
    begin_s = len(sound) / SAMPLE_RATE - seconds
    frames: list[list[Text]] = []
    for event in session.events(MemorySource(split(sound, HOP_SAMPLES), f"{len(paths)} recordings")):
        if isinstance(event, EndEvent):
            break
        state.take(event)
        if isinstance(event, DecisionEvent) and event.time >= begin_s + len(frames) / FRAMES_S:
            state.uptime_s = event.time
            state.statistics = session.snapshot()
            frames.append([row.copy() for row in layout.rows(WIDTH, HEIGHT)])
    return frames


def animated(frames: list[list[Text]]) -> str:
    """The SVG. Each row is drawn once while it stays the same; keyframes show and hide it."""
    steps = len(frames) - 1 + LAST_FRAMES
    rows = list(chain.from_iterable(runs([drawing(frame[y], y) for frame in frames]) for y in range(HEIGHT)))
    times = sorted({(run.first, run.after) for run in rows} - {(0, len(frames))})
    keyframes = "".join(keyframe(first, after, len(frames), steps) for first, after in times)
    groups = "".join(group(run, len(frames)) for run in rows)
    width, height = WIDTH * CELL_PX + 2 * MARGIN_PX, HEIGHT * LINE_PX + TITLE_PX + MARGIN_PX
    dots = "".join(
        f'<circle cx="{20 + 22 * place}" cy="17" r="7" fill="{colour}"/>'
        for place, colour in enumerate(("#ff5f57", "#febc2e", "#28c840"))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">'
        f"<title>rtser listen</title><style>"
        f'text{{font:20px "DejaVu Sans Mono",Menlo,Consolas,monospace;white-space:pre;fill:{INK}}}'
        f".b{{font-weight:bold}}.a{{visibility:hidden;animation:{steps / FRAMES_S:g}s step-end infinite}}"
        f".z{{visibility:visible}}"
        f"{keyframes}@media(prefers-reduced-motion:reduce){{.a{{animation:none!important}}}}</style>"
        f'<rect width="{width}" height="{height}" rx="9" fill="{GROUND}"/>{dots}'
        f'<text x="{width / 2:g}" y="23" text-anchor="middle" style="font-size:16px">rtser listen</text>'
        f'<g transform="translate({MARGIN_PX},{TITLE_PX})">{groups}</g></svg>\n'
    )


def runs(drawings: list[str]) -> Iterator[Run]:
    """The drawings of one row over the frames."""
    at = 0
    for made, same in groupby(drawings):
        count = len(list(same))
        if made:
            yield Run(made, at, at + count)
        at += count


def keyframe(first: int, after: int, frames: int, steps: int) -> str:
    """The keyframes that show a row, in per cent of the animation."""
    hidden_before = "" if first == 0 else "0%{visibility:hidden}"
    hidden_after = "" if after == frames else f"{100 * after / steps:.2f}%{{visibility:hidden}}"
    seen = f"{100 * first / steps:.2f}%{{visibility:visible}}"
    return f"@keyframes k{first}-{after}{{{hidden_before}{seen}{hidden_after or '100%{visibility:visible}'}}}"


def group(run: Run, frames: int) -> str:
    """A row with its keyframes; without animation, the rows of the last frame are visible."""
    if (run.first, run.after) == (0, frames):
        return run.drawing
    kind = "a z" if run.after == frames else "a"
    return f'<g class="{kind}" style="animation-name:k{run.first}-{run.after}">{run.drawing}</g>'


def drawing(row: Text, y: int) -> str:
    """A row of the terminal: a box for each background and each block character, a text for each style."""
    boxes, texts, x = [], [], 0
    for segment in CONSOLE.render_lines(row, OPTIONS)[0]:
        style = segment.style or Style()
        colour = style.color.get_truecolor().hex if style.color else INK
        if style.bgcolor:
            boxes.append(box(x, y, cell_len(segment.text), 1, style.bgcolor.get_truecolor().hex))
        for block, same in groupby(segment.text, BLOCKS.get):
            part = "".join(same)
            said = part.strip()
            if block:
                boxes.append(box(x, y, len(part) - 1 + block[0], block[1], colour))
            elif said:
                left = (x + cell_len(part) - cell_len(part.lstrip())) * CELL_PX
                place = f'x="{left}" y="{y * LINE_PX + 18}" textLength="{cell_len(said) * CELL_PX}"'
                bold = ' class="b"' if style.bold else ""
                fill = f' style="fill:{colour}"' if style.color else ""
                texts.append(f"<text {place}{bold}{fill}>{escape(said, quote=False)}</text>")
            x += cell_len(part)
    return "".join(boxes + texts)


def box(x: float, y: int, cells: float, high: float, colour: str) -> str:
    """A filled part of a row, `cells` wide; `high` (0..1) is its share of the height, from below."""
    size = f'width="{cells * CELL_PX:g}" height="{high * LINE_PX:g}"'
    top = f"{(y + 1 - high) * LINE_PX:g}"
    return f'<rect x="{x * CELL_PX:g}" y="{top}" {size} fill="{colour}" shape-rendering="crispEdges"/>'


if __name__ == "__main__":
    main()
