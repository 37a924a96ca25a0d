"""The live view: the emotion now, a bar for each, and the last seconds as a strip (Rich)."""

from __future__ import annotations

import time
from collections import deque

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from rtser.events import Decided, End, Event, Spoken, Start
from rtser.ui.style import LEVELS, UNCERTAIN, bar, clock_time, colour, dimmed

FRAMES_PER_SECOND = 10
STRIP_DECISIONS = 1_000
UTTERANCES_SHOWN = 4


class LiveView:
    """Shows events as they come, redrawn at most ten times a second; the last picture of each source stays.

    Args:
        console: a terminal.
        labels: the emotions.
    """

    def __init__(self, console: Console, labels: tuple[str, ...]) -> None:
        self._console, self._labels = console, labels
        self._source: Start | None = None
        self._now: Decided | None = None
        self._strip: deque[Decided] = deque(maxlen=STRIP_DECISIONS)
        self._utterances: deque[Spoken] = deque(maxlen=UTTERANCES_SHOWN)
        self._drawn_s = 0.0
        self._live: Live | None = None

    def write(self, event: Event) -> None:
        """Take an event in, and redraw if the picture is old enough."""
        if isinstance(event, Start):
            self._source, self._now = event, None
            self._strip.clear()
            self._utterances.clear()
            self._live = Live(self, console=self._console, auto_refresh=False)
            self._live.start()
        elif isinstance(event, Decided):
            self._now = event
            self._strip.append(event)
        elif isinstance(event, Spoken):
            self._utterances.append(event)
        now_s = time.monotonic()
        if isinstance(event, End):
            self.close()
        elif self._live and now_s - self._drawn_s >= 1 / FRAMES_PER_SECOND:
            self._live.refresh()
            self._drawn_s = now_s

    def close(self) -> None:
        """Draw the last picture and give the terminal back."""
        if self._live:
            self._live.refresh()
            self._live.stop()
            self._live = None

    def __rich__(self) -> Panel:
        width = self._console.width - 4
        parts = [self._headline(), Text(), *self._bars(width), Text(), *self._strips(width), Text(), *self._last()]
        title = self._source.source if self._source else "rtser"
        status = f"{self._source.model['name']} on {self._source.provider}" if self._source else ""
        for part in parts:
            part.no_wrap, part.overflow = True, "crop"
        return Panel(Group(*parts), title=Text(title), subtitle=Text(status), border_style="dim")

    def _headline(self) -> Text:
        now = self._now
        if now is None:
            return Text("listening", style="dim")
        name = "no speech" if now.emotions is None else now.label or UNCERTAIN
        line = Text(f"{clock_time(now.time):>9}   ")
        line.append(f" {name.upper()} ", style=f"bold reverse {colour(now.label, self._labels)}")
        if now.confidence is not None:
            line.append(f"  {now.confidence:.0%}", style="bold")
        line.append("   speech ")
        return line.append_text(bar(now.speech, 10, "white"))

    def _bars(self, width: int) -> list[Text]:
        lines = []
        for label in self._labels:
            share = self._now.emotions[label] if self._now and self._now.emotions else 0.0
            line = Text(f"{label:>9} {share:4.0%} ")
            lines.append(line.append_text(bar(share, max(1, width - 16), colour(label, self._labels))))
        return lines

    def _strips(self, width: int) -> list[Text]:
        emotion, salience = Text("  emotion "), Text(" salience ", style="dim")
        shown = list(self._strip)[-max(1, width - 10) :]
        for decision in shown:
            emotion.append("█", style=dimmed(colour(decision.label, self._labels), decision.confidence or 0.0))
            level = min(len(LEVELS) - 1, round(decision.salience * 8 * len(LEVELS)))
            salience.append(LEVELS[level])
        return [emotion, salience]

    def _last(self) -> list[Text]:
        lines = [Text("last utterances", style="dim")]
        for event in self._utterances:
            name = event.label or UNCERTAIN
            line = Text(f"{clock_time(event.start):>9} - {clock_time(event.end):<9} ")
            line.append(f"{name:<10}", style=f"bold {colour(event.label, self._labels)}")
            lines.append(line.append(f"{max(event.emotions.values()):4.0%}"))
        return lines + [Text()] * (UTTERANCES_SHOWN - len(self._utterances))
