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
    """The results of one system in per cent, on one corpus or as a mean over the corpora.

    Attributes:
        ua: unweighted accuracy: the mean over the seeds of the UA over all folds of a seed.
        ua_deviation_of_seeds: standard deviation over the seeds; None for one seed.
        ua_mean_of_folds: mean over folds and seeds of the UA of each single fold.
        ua_deviation_of_folds: standard deviation over folds and seeds; 0 for a single one.
        wa: weighted accuracy, the share of utterances that are right.
        macro_f1: mean F1 of the emotions that occur.
    """

    ua: float
    ua_deviation_of_seeds: float | None
    ua_mean_of_folds: float
    ua_deviation_of_folds: float
    wa: float
    macro_f1: float


class CorpusResult(Accuracy):
    """The results of one system on one corpus.

    Attributes:
        ua_of_seeds: UA of each seed.
        ua_of_folds: UA of each fold of each seed, by ``seed/fold``.
        ua_interval: 95 % interval of the UA, by bootstrap over the utterances.
        ua_difference_interval: 95 % interval of the UA minus the first system's UA; None for the first system.
        calibration_error: ECE in per cent; None for a system without probabilities.
        recall: recall of each emotion that occurs, in per cent.
        confusion: (K, K) counts over all seeds: rows are true emotions, columns are predictions.
        utterances: number of different utterances.
        without_speech: number of utterances in which the model of some seed found too little speech.
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
    """The results of one system.

    Attributes:
        title: the system's name in tables.
        corpora: results by corpus.
        mean: mean over the corpora; None for one corpus.
    """

    title: str
    corpora: dict[str, CorpusResult]
    mean: Accuracy | None


class Evaluation(_Result):
    """The metrics of all systems of a run.

    Attributes:
        name: name of the experiment.
        protocol: the test speakers and the choice of epochs, in words.
        seeds: the seeds with a finished test fold.
        finished_folds: number of finished test folds over all seeds.
        all_folds: number of test folds over all seeds.
        emotions: the K emotions in order.
        utterances: number of different test utterances.
        systems: results by name, heads first.
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
        """The number of measured test folds, in words."""
        return f"{self.finished_folds} of {self.all_folds}"

    def write(self, path: Path) -> None:
        """Write evaluation.json; raises OutputError if it cannot be written."""
        with replacing(path) as part:
            part.write_text(self.model_dump_json(indent=2), encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Evaluation:
        """Read what `write` wrote; raises InputError if the file cannot be read or has another version."""
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, ValidationError):
            raise InputError(
                f"{path} cannot be read as metrics of this version", "run rtser evaluate again to write it"
            ) from None
