"""Measure the cost of the live view: the CPU share of a run in real time with the view, minus that of a run without.

    python tools/measure_view.py [--seconds 30] [--size 80x24 --size 160x45]

The view draws ten times a second on a hidden terminal of that size. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import threading

from rich.console import Console

from rtser.bench.live import measure
from rtser.models import load
from rtser.session import Session
from rtser.ui.live import LiveView


def share(seconds: float, size: str | None) -> float:
    """CPU share of a run in per cent of a core, with a view of a size, or without one."""
    session, views = Session(load(), kept_times=None), []
    with open(os.devnull, "w") as nowhere:
        if size:
            width, height = map(int, size.split("x"))
            console = Console(
                file=nowhere,
                width=width,
                height=height,
                force_terminal=True,
                color_system="truecolor",
                legacy_windows=False,
            )
            views.append(LiveView(console, session.model.labels, session.snapshot, session.window))
        figures = measure(session, seconds, None, threading.Event(), views)
    return float(str(figures["cpu_percent"]))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--size", action="append", help="columns x rows; repeatable")
    options = parser.parse_args()
    print("| terminal | with the view, % of a core | without | the view |\n|---|---|---|---|")
    for size in options.size or ["80x24", "160x45"]:
        without, with_view = share(options.seconds, None), share(options.seconds, size)
        print(f"| {size} | {with_view:.1f} | {without:.1f} | {with_view - without:.1f} |", flush=True)


if __name__ == "__main__":
    main()
