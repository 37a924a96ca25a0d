"""The report on an adaptation: the table, the card beside the file, and the file's metadata."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rtser.engine.contract import Metadata
from rtser.words import counted
from rtser_train.adapting.measuring import Measured
from rtser_train.adapting.protocol import Protocol
from rtser_train.adapting.recordings import counts
from rtser_train.config import Experiment
from rtser_train.export.package import calibrated
from rtser_train.export.start import Start
from rtser_train.fitting.calibration import Calibration

MOST_SPEAKERS = 20
"""Up to this many speakers are listed one by one."""
DECISION = (
    "The network's likeliest emotion of the last window with enough speech counts, without a threshold and without the "
    "decider; a recording without such a window is wrong."
)


@dataclass(frozen=True)
class Adaptation:
    """All that is reported of an adaptation.

    Attributes:
        start: the model that it began with.
        experiment: its settings.
        protocol: the speakers adapted on and tested on.
        measured: the figures before and after.
        calibration: calibration of the new model.
    """

    start: Start
    experiment: Experiment
    protocol: Protocol
    measured: Measured
    calibration: Calibration

    @property
    def corpus(self) -> str:
        """Name of the recordings."""
        return self.experiment.corpora[0]

    @property
    def heard_before(self) -> bool:
        """Whether the start was itself trained on a corpus of this name."""
        return self.corpus in self.start.metadata.corpora

    def verdict(self) -> str:
        """Whether adapting helps, in a sentence or two."""
        return self.measured.verdict(self.start.metadata.name)

    def table(self) -> str:
        """The figures before and after as Markdown, with the protocol."""
        measured, start = self.measured, self.start.metadata.name
        rows = [("UA", measured.ua, measured.recordings)]
        rows += [(f"recall of {emotion}", pair, count) for emotion, (pair, count) in measured.recall.items()]
        lines = [f"| {self.corpus}, % | {start} | adapted | gain | recordings |", "|---|---|---|---|---|"]
        lines += [
            f"| {name} | {pair.before:.1f} | {pair.after:.1f} | {pair.gain:+.1f} | {n} |" for name, pair, n in rows
        ]
        if measured.interval:
            low, high = measured.interval
            lines += [
                "",
                f"95 % of the gain in UA, bootstrap over {len(measured.speakers)} speakers: {low:+.1f} to {high:+.1f}.",
            ]
        if len(measured.speakers) > 1:
            lines += ["", self._of_speakers()]
        lines += ["", f"Protocol: {self.protocol.words()}. {DECISION}"]
        if self.heard_before:
            lines += [
                "",
                f"{start} was itself trained on {self.corpus} and may know these speakers: both figures are too good.",
            ]
        return "\n".join(lines)

    def _of_speakers(self) -> str:
        people = self.measured.speakers
        better = sum(pair.gain > 0 for pair in people.values())
        sentence = f"Better for {better} of {len(people)} speakers"
        if len(people) > MOST_SPEAKERS:
            return f"{sentence}."
        each = ", ".join(f"{name} {pair.before:.1f} to {pair.after:.1f}" for name, pair in people.items())
        return f"{sentence} (UA: {each})."

    def metadata(self, described: Metadata) -> Metadata:
        """The metadata of the new file.

        Args:
            described: the metadata from its experiment alone (`rtser_train.export.package.describe`).
        """
        start, measured = self.start.metadata, self.measured
        ua = {start.name: round(measured.ua.before, 1), "adapted": round(measured.ua.after, 1)}
        measures: dict[str, Any] = {
            "UA in per cent": {self.corpus: ua},
            "recordings": measured.recordings,
            "protocol": self.protocol.words(),
            "adapted from": {"name": start.name, "sha256": self.start.sha256},
            f"measures of {start.name}, not of this file": dict(start.measures),
        }
        apart = "speakers" if measured.apart and not self.protocol.final.test else "recordings"
        calibration = calibrated(self.calibration, f"{apart} that the models in question were not adapted on")
        sources = (*start.corpora, *self.experiment.sources)
        changes = {"corpora": tuple(dict.fromkeys(sources)), "measures": measures, "calibration": calibration}
        changes["held_out"] = tuple(name for name in start.held_out if name != self.experiment.noise)
        return described.model_copy(update=changes | {"limits": self.limits()})

    def limits(self) -> str:
        """The limits of the new model: those of the start, and those of the adaptation."""
        people = len({bag.recording.group for bag in self.protocol.final.train})
        heard = counted(len(self.protocol.final.train), "recording")
        new = (
            f"adapted to {heard} of {counted(people, 'speaker')} "
            f"({self.corpus}); may know other voices less than {self.start.metadata.name}"
        )
        if not self.measured.apart:
            new += "; not tested on other people than those it was adapted on"
        return "; ".join(part for part in (self.start.metadata.limits.rstrip("."), new) if part)

    def card(self, command: str, file: str) -> str:
        """The card as Markdown.

        Args:
            command: the command that made the model.
            file: name of the model file.
        """
        train, start = self.protocol.final.train, self.start.metadata
        people = len({bag.recording.group for bag in train})
        rows: Mapping[str, str] = {
            "adapted from": f"{start.name}, sha256 {self.start.sha256}",
            "licence": f"{start.licence}, inherited from {start.name}; your recordings may add terms of their own",
            "adapted on": f"{self.corpus}: {counted(len(train), 'recording')} of {counted(people, 'speaker')}",
            "of each emotion": ", ".join(f"{name} {n}" for name, n in counts(train, start.labels).items()),
            "noise mixed in": self.experiment.noise or "none",
            f"{start.name} was trained on": ", ".join(start.corpora) or "unstated",
            "made by": f"`{command}`",
        }
        return "\n".join(
            [
                f"# {self.experiment.name}",
                "",
                f"`{file}` is a model of rtser, adapted to one's own recordings. `rtser info {file}` prints what",
                "it says of itself.",
                "",
                "| | |",
                "|---|---|",
                *(f"| {name} | {value} |" for name, value in rows.items()),
                "",
                "## Measures",
                self.table(),
                "",
                self.verdict(),
                "",
                "## Limits",
                *(f"- {limit}" for limit in self.limits().split("; ")),
                "",
            ]
        )
