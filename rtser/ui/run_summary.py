"""The summary of a run: its length, its emotions, their turning points, and problems of the level."""

from __future__ import annotations

from collections import deque

from rich.text import Text

from rtser.events import EndEvent, Event, StartEvent, UtteranceEvent
from rtser.summary import TurnFinder
from rtser.ui.style import UNCERTAIN, clock_time, colour, percent

MOST_TURNS = 5
"""Number of turning points that are named, the last ones; the others are only counted."""


class RunSummary:
    """Sums up the utterances of a run; its size does not grow.

    Args:
        labels: the emotions.
    """

    def __init__(self, labels: tuple[str, ...]) -> None:
        self._labels = labels
        self.begin(0.0)

    def begin(self, time_s: float) -> None:
        """Forget everything; utterances that began before that time do not count."""
        self._begin_s = time_s
        self._seconds: dict[str | None, float] = dict.fromkeys((*self._labels, None), 0.0)
        self._sums = dict.fromkeys(self._labels, 0.0)
        self._finder = TurnFinder()
        self._turns = 0
        self._last_turns: deque[str] = deque(maxlen=MOST_TURNS)

    def take(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, StartEvent):
            self.begin(0.0)
        elif isinstance(event, UtteranceEvent) and event.final and event.start >= self._begin_s:
            self._add(event)

    def _add(self, event: UtteranceEvent) -> None:
        seconds = event.end - event.start
        self._seconds[event.label] += seconds
        for label, probability in event.emotions.items():
            self._sums[label] += seconds * probability
        if turn := self._finder.take(event):
            self._turns += 1
            self._last_turns.append(f"{clock_time(turn.time)} {turn.before} to {turn.after}")

    def rows(self, event: EndEvent, level_findings: str = "") -> list[Text]:
        """The summary at the end of a run. `level_findings`: see `rtser.statistics.Snapshot`."""
        level = [Text(f"  the sound: {level_findings}")] if level_findings else []
        spoken, whole = sum(self._seconds.values()), clock_time(max(0.0, event.time - self._begin_s))
        if spoken == 0:
            return [Text(f"  {whole} of sound, no speech found."), *level]
        overall = max(self._sums, key=self._sums.__getitem__)
        shares = [(label, seconds) for label, seconds in self._seconds.items() if seconds]
        shares.sort(key=lambda share: -share[1])
        mean = percent(self._sums[overall] / spoken)
        listed = ", ".join(f"{label or UNCERTAIN} {percent(seconds / spoken)}" for label, seconds in shares)
        said = Text.assemble(
            "  overall likeliest ",
            (overall, f"bold {colour(overall, self._labels)}"),
            f" (mean probability {mean}) over {clock_time(spoken)} of speech in {whole} of sound: {listed}",
        )
        return [said, *self._turning_points(), *level]

    def _turning_points(self) -> list[Text]:
        if not self._turns:
            return []
        more = "" if self._turns <= MOST_TURNS else f"{self._turns}, the last "
        return [Text(f"  turning points: {more}{', '.join(self._last_turns)}")]
