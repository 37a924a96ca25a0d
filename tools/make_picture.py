"""Make the README's picture of the live view, docs/live.svg.

    python tools/make_picture.py [AUDIO] [SECONDS]

AUDIO is the bundled sample if not named; the picture shows the moment SECONDS into it.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console

import rtser
from rtser.events import Decided
from rtser.recognise import recognise
from rtser.sources.file import AudioFile
from rtser.ui.live import LiveView

ROOT = Path(__file__).parents[1]
WIDTH = 100


def main() -> None:
    """Draw the picture."""
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "rtser" / "samples" / "demo.flac"
    until_s = float(sys.argv[2]) if len(sys.argv) > 2 else 18.0
    model = rtser.load()
    view = LiveView(Console(file=io.StringIO(), width=WIDTH), model.labels)
    with AudioFile(path) as audio:
        for event in recognise(audio.blocks(), rtser.Stream(model), path.name, audio.sample_rate):
            view.write(event)
            if isinstance(event, Decided) and event.time >= until_s:
                break
    picture = Console(record=True, width=WIDTH, file=io.StringIO())
    picture.print(view)
    view.close()
    svg = picture.export_svg(title=f"rtser file {path.name} --stream")
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)  # a picture loads nothing from elsewhere
    (ROOT / "docs" / "live.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
