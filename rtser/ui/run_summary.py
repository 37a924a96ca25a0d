"""The summary of a run: its length, its emotions, their turning points, and problems of the level."""

from __future__ import annotations

from rich.text import Text

from rtser.events import EndEvent, Event, StartEvent, UtteranceEvent
from rtser.summary import Tally
from rtser.ui.style import clock_time, colour

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
        self._begin_s, self._tally = time_s, Tally(MOST_TURNS)

    def take(self, event: Event) -> None:
        """Take an event."""
        if isinstance(event, StartEvent):
            self.begin(0.0)
        elif isinstance(event, UtteranceEvent) and event.final and event.start >= self._begin_s:
            self._tally.add(event)

    def rows(self, event: EndEvent, level_findings: str = "") -> list[Text]:
        """The summary at the end of a run. `level_findings`: see `rtser.statistics.Snapshot`."""
        level = [Text(f"  the sound: {level_findings}")] if level_findings else []
        summary, means = self._tally.summary(max(0.0, event.time - self._begin_s)), self._tally.means()
        if not means:
            return [Text(f"  {clock_time(summary.seconds)} of sound, no speech found."), *level]
        overall = max(means, key=means.__getitem__)
        listed = ", ".join(f"{label} {share:.0%}" for label, share in summary.shares.items())
        since = f"since {clock_time(self._begin_s)}: " if self._begin_s else "overall "
        said = Text.assemble(
            f"  {since}{clock_time(summary.speech_s)} of speech in {clock_time(summary.seconds)} of sound: {listed}; ",
            (overall, f"bold {colour(overall, self._labels)}"),
            f" is likeliest on average ({means[overall]:.0%})",
        )
        return [said, *self._turning_points(), *level]

    def _turning_points(self) -> list[Text]:
        turns, count = self._tally.turns, self._tally.turn_count
        if not turns:
            return []
        more = "" if count == len(turns) else f"{count}, the last "
        named = ", ".join(f"{clock_time(turn.time)} {turn.before} to {turn.after}" for turn in turns)
        return [Text(f"  turning points: {more}{named}")]
