"""Results as lines: one per utterance, for live sound one per change of the label, and a summary."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from rtser.events import DecisionEvent, EndEvent, Event, SourceEvent, StartEvent, UtteranceEvent
from rtser.statistics import Snapshot
from rtser.ui.run_summary import RunSummary
from rtser.ui.style import UNCERTAIN, bar, clock_time, colour, percent

BAR_CELLS = 14


class LineView:
    """Prints each utterance when it ends, so that an endless file needs no memory, and finally the summary.

    Args:
        console: where to print.
        labels: the emotions.
        snapshot: returns the run's figures, for the summary's remark on the level; None: no such remark.
        live: whether each change of the label is printed at once.
        recorded: where the sound is kept, which is announced first; empty if it is not.
    """

    def __init__(
        self,
        console: Console,
        labels: tuple[str, ...],
        snapshot: Callable[[], Snapshot] | None = None,
        live: bool = False,
        recorded: str = "",
    ) -> None:
        self._console, self._labels, self._snapshot, self._live = console, labels, snapshot, live
        self._recorded = recorded
        self._summary, self._label = RunSummary(labels), ""
        self.kinds: tuple[type[Event], ...] = (StartEvent, UtteranceEvent, SourceEvent, EndEvent)
        if live:
            self.kinds += (DecisionEvent,)

    def write(self, event: Event) -> None:
        """Print the news of the event."""
        self._summary.take(event)
        if isinstance(event, StartEvent):
            self._label = ""
            self._print(Text(event.source, style="bold"))
            if self._recorded:
                self._print(Text(f"  recording: {self._recorded}"))
        elif isinstance(event, DecisionEvent):
            if self._live:
                self._change(event)
        elif isinstance(event, UtteranceEvent):
            self._print(self._row(event))
            self._label = "" if event.final else self._label
        elif isinstance(event, SourceEvent):
            self._print(Text(f"{clock_time(event.time):>9}   {event.state}: {event.detail}"))
        elif isinstance(event, EndEvent) and event.decisions:  # without one there is an error, or nothing to tell
            for row in self._summary.rows(event, self._snapshot().level_findings if self._snapshot else ""):
                self._console.print(row, soft_wrap=not self._console.is_terminal)

    def close(self) -> None:
        """Do nothing; the sink holds nothing back."""

    def _print(self, row: Text) -> None:
        self._console.print(row, soft_wrap=True)

    def _change(self, event: DecisionEvent) -> None:
        """Print the label if it has changed or is no longer sure. The utterance itself reports the end of speech."""
        label = event.label or ""
        if label == self._label or not event.leaning:
            return
        self._label = label
        row = Text(f"{clock_time(event.time):>9}   now ")
        if event.label:
            row.append(label, f"bold {colour(label, self._labels)}").append(f" {percent(event.confidence or 0.0)}")
        else:
            row.append(f"{UNCERTAIN}, leaning {event.leaning.label} {percent(event.leaning.confidence)}")
        self._print(row)

    def _row(self, event: UtteranceEvent) -> Text:
        shade, best = colour(event.label, self._labels), event.leaning.confidence
        end = clock_time(event.end) + ("" if event.final else " …")
        row = Text(f"{clock_time(event.start):>9} - {end:<9} ")
        row.append(f"{event.label or UNCERTAIN:<10}", style=f"bold {shade}").append(f"{percent(best):>4} ")
        row.append_text(bar(best, BAR_CELLS, shade))
        ranked = sorted(event.emotions.items(), key=lambda item: -item[1])
        others = ", ".join(f"{label} {percent(one)}" for label, one in (ranked[1:3] if event.label else ranked[:2]))
        return row.append(f"  {'' if event.label else 'leaning '}{others}", style="dim")
