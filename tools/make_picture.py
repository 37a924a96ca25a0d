"""Make the README's picture of the live view, docs/live.svg, from real speech.

    python tools/make_picture.py AUDIO [AUDIO ...] [--until SECONDS]

The recordings are recognised one after another with pauses between them; the picture shows the moment SECONDS before
the end of the last.
"""

from __future__ import annotations

import argparse
import io
import re
from itertools import chain
from pathlib import Path

import numpy as np
from rich.console import Console

from rtser.audio.file import read_audio
from rtser.audio.source import MemorySource, split
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, Float32
from rtser.models import load
from rtser.session import Session
from rtser.ui.keys import NAMES
from rtser.ui.layout import Layout
from rtser.ui.view_state import ViewState

ROOT = Path(__file__).parents[1]
WIDTH, HEIGHT = 100, 28
PAUSE_S = 0.9


def main() -> None:
    """Draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("audio", nargs="+", type=Path)
    parser.add_argument("--until", type=float, default=0.1, help="seconds before the end of the last recording")
    options = parser.parse_args()
    session = Session(load())
    state = ViewState(session.model.labels, session.window, keys=dict(NAMES))
    state.threshold, state.window_s = session.controls.label_threshold, session.controls.window_s
    pause = np.zeros(round(PAUSE_S * SAMPLE_RATE), np.float32)
    sounds: list[Float32] = list(chain.from_iterable((pause, read_audio(path)) for path in options.audio))
    sound = np.concatenate(sounds)[: -round(options.until * SAMPLE_RATE)]
    for event in session.events(MemorySource(split(sound, HOP_SAMPLES), f"{len(options.audio)} recordings")):
        if event.type != "end":
            state.take(event)
    state.uptime_s = len(sound) / SAMPLE_RATE
    state.statistics = session.snapshot()
    picture = Console(record=True, width=WIDTH, file=io.StringIO(), color_system="truecolor", force_terminal=True)
    for row in Layout(state).rows(WIDTH, HEIGHT):
        picture.print(row, no_wrap=True, overflow="crop")
    svg = picture.export_svg(title="rtser listen")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # a picture loads nothing from elsewhere
    (ROOT / "docs" / "live.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
