"""The metrics of a run, typed; evaluation.json is written from them and read back through them."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rtser.errors import InputError
from rtser_train.files import replacing

Interval = tuple[float, float]


class _Result(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Accuracy(_Result):
    """What one system achieves, in per cent: on one corpus, or as a mean over the corpora.

    Attributes:
        ua: unweighted accuracy, a mean over the seeds of each one's UA over all its folds together.
        ua_deviation_of_seeds: standard deviation over the seeds; None for one seed.
        ua_mean_of_folds: mean over folds and seeds of the UA of each one alone.
        ua_deviation_of_folds: standard deviation over folds and seeds; 0 for one.
        wa: weighted accuracy, the share of the utterances.
        macro_f1: mean F1 of the emotions that occur.
    """

    ua: float
    ua_deviation_of_seeds: float | None
    ua_mean_of_folds: float
    ua_deviation_of_folds: float
    wa: float
    macro_f1: float


class CorpusResult(Accuracy):
    """What one system achieves on one corpus.

    Attributes:
        ua_of_seeds: UA of each seed.
        ua_of_folds: UA of each fold of each seed, by ``seed/fold``.
        ua_interval: 95 % of the UA, by bootstrap over the utterances.
        ua_difference_interval: 95 % of the UA less that of the first system; None for the first itself.
        calibration_error: ECE in per cent; None for a system without probabilities.
        recall: of each emotion that occurs, in per cent.
        confusion: (K, K) counts over all seeds: rows are what utterances are, columns what they are taken for.
        utterances: number of different ones.
        without_speech: how many of them the model of some seed found too little speech in.
    """

    ua_of_seeds: dict[int, float]
    ua_of_folds: dict[str, float]
    ua_interval: Interval
    ua_difference_interval: Interval | None
    calibration_error: float | None
    recall: dict[str, float]
    confusion: list[list[int]]
    utterances: int
    without_speech: int


class SystemResult(_Result):
    """What one system achieves.

    Attributes:
        title: the system's name in tables.
        corpora: by corpus.
        mean: over the corpora; None for one corpus.
    """

    title: str
    corpora: dict[str, CorpusResult]
    mean: Accuracy | None


class Evaluation(_Result):
    """The metrics of all systems of a run.

    Attributes:
        name: of the experiment.
        protocol: who was tested on and what chose the epochs, in words.
        seeds: those with a finished test fold.
        finished_folds: number of test folds, over all seeds, that are trained to their end.
        all_folds: number of test folds over all seeds.
        emotions: the K emotions in order.
        utterances: number of different test utterances.
        systems: by name, heads first.
    """

    name: str
    protocol: str
    seeds: list[int]
    finished_folds: int = Field(ge=1)
    all_folds: int
    emotions: list[str]
    utterances: int
    systems: dict[str, SystemResult]

    @property
    def folds(self) -> str:
        """How many of the test folds are measured, in words."""
        return f"{self.finished_folds} of {self.all_folds}"

    def write(self, path: Path) -> None:
        """Write evaluation.json; OutputError where it cannot be written."""
        with replacing(path) as part:
            part.write_text(self.model_dump_json(indent=2), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Evaluation:
        """What `write` wrote; InputError if the file cannot be read or is of another version."""
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError):
            raise InputError(
                f"{path} cannot be read as metrics of this version", "run rtser evaluate again to write it"
            ) from None
