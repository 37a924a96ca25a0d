"""From decisions to figures: UA, intervals, calibration, coverage and risk. Nothing is streamed here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from rtser.engine.contract import segment_end_s
from rtser_train import intervals
from rtser_train.metrics import expected_calibration_error, unweighted_accuracy
from rtser_train.robustness.conditions import SPEECH_S
from rtser_train.robustness.hearing import Outcomes
from rtser_train.robustness.listening import Told
from rtser_train.robustness.results import (
    Bin,
    CoveragePoint,
    GroupScore,
    JoinedScore,
    Score,
    Share,
    SpeechPoint,
    SpeechResult,
    SpeechScore,
)
from rtser_train.robustness.selection import Selection

BINS = 10
Hits = NDArray[np.float64]


class Scorer:
    """Figures on one corpus.

    Args:
        selection: the n utterances.
        seed: of the resamples.
    """

    def __init__(self, selection: Selection, seed: int) -> None:
        self._selection, self._seed = selection, seed
        self._truth, self._units = selection.truth, selection.units

    def hits(self, decided: NDArray[np.str_]) -> Hits:
        """(n,), 1 where a decision is right; a missing one counts as wrong."""
        return np.asarray(decided == self._truth, np.float64)

    def ua(self, hits: Hits, beside: Hits | None = None) -> Share:
        """UA in per cent; with `beside`, other hits on the same utterances, its difference from their UA in points."""
        values = hits if beside is None else hits - beside
        mean = np.mean([values[self._truth == emotion].mean() for emotion in self._selection.emotions])
        interval = intervals.mean_of_recalls(self._units, self._truth, values, self._seed)
        return Share(value=100 * float(mean), interval=interval)

    def score(self, outcomes: Outcomes, threshold: float, clean: Outcomes | None) -> Score:
        """One model under one condition.

        Args:
            outcomes: its decisions.
            threshold: its label threshold.
            clean: its decisions on clean speech; None if this is clean speech.
        """
        hits = self.hits(outcomes.decided)
        named = ((outcomes.confidence >= threshold) & ~outcomes.undecided).astype(np.float64)
        return Score(
            ua=self.ua(hits),
            less_clean=None if clean is None else self.ua(hits, self.hits(clean.decided)),
            recall={one: 100 * float(hits[self._truth == one].mean()) for one in self._selection.emotions},
            undecided=100 * float(outcomes.undecided.mean()),
            calibration_error=calibration_error(outcomes, self._truth),
            named=self._ratio(named, np.ones_like(named)),
            right_of_named=self._ratio(named * hits, named),
        )

    def by_sex(self, outcomes: Outcomes) -> dict[str, GroupScore]:
        """UA of the speakers of each sex that the corpus states; empty if it states none."""
        sexes = np.array([one.recording.sex for one in self._selection.spoken])
        return {str(sex): self._group(outcomes, sexes == sex, str(sex)) for sex in np.unique(sexes) if sex}

    def by_speaker(self, outcomes: Outcomes) -> dict[str, GroupScore]:
        """UA of each speaker whom the corpus names."""
        speakers = np.array([one.recording.speaker for one in self._selection.spoken])
        sexes = {one.recording.speaker: one.recording.sex for one in self._selection.spoken}
        return {name: self._group(outcomes, speakers == name, sexes[name]) for name in self._selection.speakers}

    def confusion(self, outcomes: Outcomes) -> list[list[int]]:
        """Counts: a row for each emotion, a column for each label, and one for no decision."""
        decided = outcomes.decided
        return [
            [int(((self._truth == emotion) & (decided == answer)).sum()) for answer in (*outcomes.labels, "")]
            for emotion in self._selection.emotions
        ]

    def coverage(self, outcomes: Outcomes) -> list[CoveragePoint]:
        """Risk among the most confident 1, 2, ... 100 % of the utterances."""
        order = np.argsort(-outcomes.confidence, kind="stable")
        right, confidence = self.hits(outcomes.decided)[order].cumsum(), outcomes.confidence[order]
        points = []
        for per_cent in range(1, 101):
            count = max(1, round(per_cent * len(order) / 100))
            risk = 100 * (1 - float(right[count - 1]) / count)
            points.append(CoveragePoint(coverage=per_cent, risk=risk, confidence=float(confidence[count - 1])))
        return points

    def curve(self, outcomes: Outcomes) -> list[SpeechPoint]:
        """UA against the seconds of speech, a point every 60 ms, until the whole of the longest utterance is heard."""
        names = np.array([*outcomes.labels, ""])
        return [
            SpeechPoint(
                seconds=round(segment_end_s(hop), 3),
                ua=100 * unweighted_accuracy(self._truth, names[outcomes.so_far[:, hop]]),
            )
            for hop in range(outcomes.so_far.shape[1])
        ]

    def speech(self, outcomes: Sequence[Outcomes]) -> list[SpeechResult]:
        """The models after the seconds of speech of `SPEECH_S`."""
        whole = [self.ua(self.hits(one.decided)).value for one in outcomes]
        found = []
        for seconds in SPEECH_S:
            decided = [one.after(seconds) for one in outcomes]
            hits = [self.hits(one) for one in decided]
            scores = []
            for said, mine, final in zip(decided, hits, whole, strict=True):
                ua, undecided = self.ua(mine), 100 * float((said == "").mean())
                share = 100 * (ua.value or 0) / final if final else None
                scores.append(SpeechScore(ua=ua, share=share, undecided=undecided))
            found.append(SpeechResult(seconds=seconds, scores=scores, difference=self.difference(hits)))
        return found

    def difference(self, hits: Sequence[Hits]) -> Share | None:
        """The second model's UA less the first one's; None for one model."""
        return self.ua(hits[1], hits[0]) if len(hits) > 1 else None

    def joined(self, told: Told, labels: Sequence[str]) -> JoinedScore:
        """One model on joined utterances."""
        units = [self._units[place] for place in told.places]
        named = (told.labels >= 0).astype(np.float64)
        right = (np.array([*labels, ""])[told.labels] == self._truth[told.places]).astype(np.float64)
        everyone = np.ones_like(named)
        return JoinedScore(
            named=self._ratio(named, everyone, units),
            right_of_named=self._ratio(right, named, units),
            right=self._ratio(right, everyone, units),
        )

    def _group(self, outcomes: Outcomes, rows: NDArray[np.bool_], sex: str) -> GroupScore:
        truth, hits = self._truth[rows], self.hits(outcomes.decided)[rows]
        units = [unit for unit, chosen in zip(self._units, rows.tolist(), strict=True) if chosen]
        ua = 100 * float(np.mean([hits[truth == emotion].mean() for emotion in np.unique(truth)]))
        interval = intervals.mean_of_recalls(units, truth, hits, self._seed)
        speakers = len(set(units))
        return GroupScore(ua=Share(value=ua, interval=interval), utterances=len(truth), speakers=speakers, sex=sex)

    def _ratio(self, parts: Hits, wholes: Hits, units: Sequence[str] | None = None) -> Share:
        total = float(wholes.sum())
        if not total:
            return Share(value=None)
        interval = intervals.ratio(units or self._units, parts, wholes, self._seed)
        return Share(value=100 * float(parts.sum()) / total, interval=interval)


def calibration_error(outcomes: Outcomes, truth: NDArray[np.str_]) -> float | None:
    """ECE in per cent over all labels, of the utterances with a decision; None without any."""
    decided = ~outcomes.undecided
    if not decided.any():
        return None
    classes = np.array([outcomes.labels.index(emotion) for emotion in truth[decided]])
    return 100 * expected_calibration_error(outcomes.probabilities[decided].astype(np.float64), classes)


def reliability(outcomes: Outcomes, truth: NDArray[np.str_]) -> list[Bin]:
    """Ten equally wide bins of confidence, of the utterances with a decision."""
    decided = ~outcomes.undecided
    confidence, right = outcomes.confidence[decided], (outcomes.decided == truth)[decided]
    place = np.minimum((confidence * BINS).astype(int), BINS - 1)
    found = []
    for number in range(BINS):
        inside = place == number
        count = int(inside.sum())
        found.append(
            Bin(
                low=number / BINS,
                high=(number + 1) / BINS,
                count=count,
                confidence=float(confidence[inside].mean()) if count else None,
                accuracy=float(right[inside].mean()) if count else None,
            )
        )
    return found
