"""The predictions of systems for test utterances, as a table in a file."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from rtser.errors import InputError
from rtser_train.data.bags import Bag
from rtser_train.files import replacing

COLUMNS = ("system", "seed", "fold", "corpus", "speaker", "recording", "emotion", "predicted")


class Prediction(NamedTuple):
    """One system's prediction for one test utterance.

    Attributes:
        system: its name, as in the configuration.
        seed: seed of its training.
        fold: the fold that tested the utterance.
        corpus: the utterance's corpus.
        speaker: the utterance's speaker.
        recording: its file, or a part of one.
        emotion: its true emotion.
        predicted: the likeliest emotion; empty if no window held enough speech, which counts as wrong.
        probabilities: (K,), in the order of the experiment's emotions; an SVM gives 1 to its class; empty if
            `predicted` is.
    """

    system: str
    seed: int
    fold: str
    corpus: str
    speaker: str
    recording: str
    emotion: str
    predicted: str
    probabilities: tuple[float, ...]

    @classmethod
    def of(
        cls, system: str, seed: int, fold: str, bag: Bag, row: Sequence[float], emotions: Sequence[str]
    ) -> Prediction:
        """The prediction from a row of probabilities (K,), all NaN if there is none."""
        silent = math.isnan(row[0])
        predicted = "" if silent else emotions[max(range(len(row)), key=row.__getitem__)]
        about, chances = bag.recording, () if silent else tuple(row)
        where = about.corpus, about.speaker, about.name
        return cls(system, seed, fold, *where, emotions[bag.label], predicted, chances)


def write_predictions(path: Path, predictions: Iterable[Prediction], emotions: Sequence[str]) -> None:
    """A CSV table with a row for each prediction, its probabilities in columns named by the emotions."""
    with replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*COLUMNS, *emotions])
        for one in predictions:
            writer.writerow([*one[:-1], *(f"{value:.6f}" for value in one.probabilities)])


def read_predictions(path: Path) -> list[Prediction]:
    """What `write_predictions` wrote.

    Raises:
        InputError: the file is missing or not as it was written.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = csv.reader(file)
            next(rows)
            return [_prediction(row) for row in rows]
    except (OSError, ValueError, StopIteration, csv.Error) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not a table of predictions"
        raise InputError(f"{path} cannot be read ({reason})", "delete that fold's step.pt and train again") from None


def _prediction(row: Sequence[str]) -> Prediction:
    system, seed, fold, corpus, speaker, recording, emotion, predicted, *probabilities = row
    chances = tuple(map(float, probabilities))
    return Prediction(system, int(seed), fold, corpus, speaker, recording, emotion, predicted, chances)
