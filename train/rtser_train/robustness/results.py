"""The figures of a robustness measurement, typed; report.json is written from them and read back through them."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from rtser.errors import InputError
from rtser_train.files import replacing

SCHEMA = 1
"""It increases when a reader of older reports would misread this one."""

Interval = tuple[float, float]


class _Result(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Share(_Result):
    """A figure in per cent, with its 95 % interval by bootstrap over speakers; None where there is nothing to count."""

    value: float | None
    interval: Interval | None = None


class Score(_Result):
    """One model under one condition; all in per cent or points.

    Attributes:
        ua: mean recall of the emotions.
        less_clean: UA less that of clean speech; None for clean speech itself.
        recall: of each emotion.
        undecided: utterances without a decision.
        calibration_error: ECE of the utterances with a decision, over all labels; None without any.
        named: utterances whose decision has at least the model's label threshold as its probability.
        right_of_named: those of them that are right.
    """

    ua: Share
    less_clean: Share | None
    recall: dict[str, float]
    undecided: float
    calibration_error: float | None
    named: Share
    right_of_named: Share


class ConditionResult(_Result):
    """One condition: the scores of the models in their order, and the second one's UA less the first one's."""

    name: str
    group: str
    title: str
    scores: list[Score]
    difference: Share | None


class GroupScore(_Result):
    """The UA of some speakers, over the emotions that they speak, on clean speech."""

    ua: Share
    utterances: int
    speakers: int
    sex: str = ""


class CoveragePoint(_Result):
    """The most confident `coverage` % of the utterances: how many of them are wrong, and their lowest confidence.

    Utterances without a decision come last; they are wrong, and their confidence is 0.
    """

    coverage: float
    risk: float
    confidence: float


class Bin(_Result):
    """The decisions with a confidence from `low` to `high`, all 0..1: their mean confidence and share of right ones."""

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None


class SpeechPoint(_Result):
    """UA in per cent if each utterance ends after this many seconds of speech."""

    seconds: float
    ua: float


class SpeechScore(_Result):
    """One model after some speech, in per cent: UA, its share of the UA on whole utterances, and missing decisions."""

    ua: Share
    share: float | None
    undecided: float


class SpeechResult(_Result):
    """The scores of the models after this many seconds of speech, and the second one's UA less the first one's."""

    seconds: float
    scores: list[SpeechScore]
    difference: Share | None


class Detail(_Result):
    """More of one model's figures on one corpus.

    Attributes:
        by_sex: on clean speech, by the sex that the corpus says.
        by_speaker: the same by speaker.
        confusion: counts on clean speech: a row for each emotion, a column for each of `answers`.
        answers: the model's labels, then an empty one for no decision.
        coverage: on clean speech.
        reliability: bins by condition: clean speech, and noise at 10 dB.
        curve: UA against seconds of speech.
    """

    by_sex: dict[str, GroupScore]
    by_speaker: dict[str, GroupScore]
    confusion: list[list[int]]
    answers: list[str]
    coverage: list[CoveragePoint]
    reliability: dict[str, list[Bin]]
    curve: list[SpeechPoint]

    def threshold(self, risk: float) -> CoveragePoint | None:
        """The point of most coverage with at most `risk` % wrong; its confidence is the threshold. None if none has."""
        kept = [point for point in self.coverage if point.risk <= risk and point.confidence > 0]
        return max(kept, key=lambda point: point.coverage, default=None)


class JoinedScore(_Result):
    """Joined utterances: those that a label was named for, and the right ones, in per cent."""

    named: Share
    right_of_named: Share
    right: Share


class JoinedResult(_Result):
    """The scores of the models on a speaker's utterances one after another, and how many there are."""

    utterances: int
    scores: list[JoinedScore]


class CorpusResult(_Result):
    """One corpus.

    Attributes:
        utterances: number of measured utterances.
        available: number of utterances that they were chosen from.
        speakers: number of speakers, without unknown ones.
        emotions: those shared by corpus and models.
        merge: corpus emotions that counted as others.
        left_out: utterances of other emotions, by emotion.
        trained_on: names of the models whose files say that they were trained on it.
        conditions: clean speech first.
        speech: the first seconds of speech; empty if that was not asked for.
        details: of each model.
        joined: None if that was not asked for, or no speaker has two utterances.
    """

    utterances: int
    available: int
    speakers: int
    emotions: list[str]
    merge: dict[str, str]
    left_out: dict[str, int]
    trained_on: list[str]
    conditions: list[ConditionResult]
    speech: list[SpeechResult]
    details: list[Detail]
    joined: JoinedResult | None


class AlarmScore(_Result):
    """False alarms of one model: number, rate per hour with its exact 95 % interval, % of segments taken for speech."""

    alarms: int
    an_hour: float
    interval: Interval
    taken_for_speech: float


class AlarmResult(_Result):
    """The false alarms on one kind of sounds without speech.

    Attributes:
        sounds: what they are.
        files: number of files, counted once for each model file.
        hours: their length, counted in the same way.
        scores: scores of the models.
    """

    sounds: str
    files: int
    hours: float
    scores: list[AlarmScore]


class Measured(_Result):
    """One model that was measured.

    Attributes:
        name: in the tables.
        source: the file or the folder that was named.
        sha256: of its files, by fold; the key is empty for a model file.
        labels: its possible answers.
        label_threshold: its own.
        trained_on: the training corpora that its file names; empty for the models of a run's folds.
        protocol: the measured utterances, in words.
    """

    name: str
    source: str
    sha256: dict[str, str]
    labels: list[str]
    label_threshold: float
    trained_on: list[str]
    protocol: str


class Report(_Result):
    """Everything that was measured.

    Attributes:
        schema_version: `SCHEMA`.
        rtser: version.
        written: date and time, UTC.
        command: the command that made it.
        seed: seed of all draws.
        models: one, or two that are compared.
        corpora: by name.
        alarms: false alarms, the last row of all sounds together; empty if they were not asked for.
        notes: to read before the figures.
    """

    schema_version: Literal[1] = 1
    rtser: str
    written: str
    command: str
    seed: int
    models: list[Measured]
    corpora: dict[str, CorpusResult]
    alarms: list[AlarmResult]
    notes: list[str]

    def write(self, path: Path) -> None:
        """Write report.json; raises OutputError if it cannot be written."""
        with replacing(path) as part:
            part.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Report:
        """Read what `write` wrote; raises InputError if the file cannot be read or has another version."""
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError):
            raise InputError(f"{path} cannot be read as a report of this version", "measure again") from None
