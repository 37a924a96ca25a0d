"""The result of a file as a table: one row an utterance, and a line that sums up."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from rtser.events import EndEvent, Event, SourceEvent, StartEvent, UtteranceEvent
from rtser.ui.style import UNCERTAIN, bar, clock_time, colour, percent

BAR_CELLS = 14


class LineView:
    """Prints every utterance when it ends, so that an endless file needs no memory, then the summary.

    Args:
        console: where to print.
        labels: the emotions.
    """

    kinds = (StartEvent, UtteranceEvent, SourceEvent, EndEvent)

    def __init__(self, console: Console, labels: tuple[str, ...]) -> None:
        self._console, self._labels = console, labels
        self._begin()

    def write(self, event: Event) -> None:
        """Print what the event adds."""
        if isinstance(event, StartEvent):
            self._begin()
            self._console.print(Text(event.source, style="bold"), soft_wrap=True)
        elif isinstance(event, UtteranceEvent):
            if event.final:
                self._add(event)
            self._console.print(self._row(event), soft_wrap=True)
        elif isinstance(event, SourceEvent):
            self._console.print(Text(f"{clock_time(event.time):>9}   {event.state}: {event.detail}"), soft_wrap=True)
        elif isinstance(event, EndEvent):
            self._console.print(self._summary(event), soft_wrap=not self._console.is_terminal)

    def close(self) -> None:
        """Nothing is held."""

    def _begin(self) -> None:
        """Forget the last source's sums."""
        self._seconds: dict[str | None, float] = dict.fromkeys((*self._labels, None), 0.0)
        self._sums = dict.fromkeys(self._labels, 0.0)

    def _add(self, event: UtteranceEvent) -> None:
        seconds = event.end - event.start
        self._seconds[event.label] += seconds
        for label, probability in event.emotions.items():
            self._sums[label] += seconds * probability

    def _row(self, event: UtteranceEvent) -> Text:
        shade, best = colour(event.label, self._labels), event.leaning.confidence
        end = clock_time(event.end) + ("" if event.final else " …")
        row = Text(f"{clock_time(event.start):>9} - {end:<9} ")
        row.append(f"{event.label or UNCERTAIN:<10}", style=f"bold {shade}").append(f"{percent(best):>4} ")
        row.append_text(bar(best, BAR_CELLS, shade))
        ranked = sorted(event.emotions.items(), key=lambda item: -item[1])
        others = ", ".join(f"{label} {percent(one)}" for label, one in (ranked[1:3] if event.label else ranked[:2]))
        return row.append(f"  {'' if event.label else 'leaning '}{others}", style="dim")

    def _summary(self, event: EndEvent) -> Text:
        spoken = sum(self._seconds.values())
        if spoken == 0:
            return Text(f"  {clock_time(event.time)} of sound, no speech found.")
        overall = max(self._sums, key=self._sums.__getitem__)
        shares = [(label, seconds) for label, seconds in self._seconds.items() if seconds]
        shares.sort(key=lambda share: -share[1])
        mean = percent(self._sums[overall] / spoken)
        listed = ", ".join(f"{label or UNCERTAIN} {percent(seconds / spoken)}" for label, seconds in shares)
        return Text.assemble(
            "  overall likeliest ",
            (overall, f"bold {colour(overall, self._labels)}"),
            f" (mean probability {mean}) over {clock_time(spoken)} of speech: {listed}",
        )
