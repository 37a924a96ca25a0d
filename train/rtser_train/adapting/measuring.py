"""Measures whether adapting helps: the start and the adapted models on the same recordings, and the role of chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rtser_train import intervals
from rtser_train.data.bags import Bag

ENOUGH_SPEAKERS = 5
"""With this many speakers or more, a bootstrap over them says something about other speakers."""


class Pair(NamedTuple):
    """A figure of the start model and of the adapted one, in per cent."""

    before: float
    after: float

    @property
    def gain(self) -> float:
        """The gain from adapting, in points."""
        return self.after - self.before


@dataclass(frozen=True)
class Measured:
    """Before and after on the same recordings.

    Attributes:
        recordings: number of tested recordings.
        ua: mean recall of the emotions that occur.
        recall: recall of each emotion that occurs, and its number of recordings.
        speakers: UA of each tested speaker, by name.
        interval: 95 % interval of the gain in UA, in points, by bootstrap over the speakers; None if there are too
            few speakers.
        apart: whether the model was adapted on none of the tested speakers.
    """

    recordings: int
    ua: Pair
    recall: dict[str, tuple[Pair, int]]
    speakers: dict[str, Pair]
    interval: tuple[float, float] | None
    apart: bool

    def verdict(self, start: str) -> str:
        """Whether the adapted model is better than the model called `start`, in one or two sentences."""
        gain = f"UA {self.ua.before:.1f} before, {self.ua.after:.1f} after"
        where = "on speakers that it was not adapted on" if self.apart else "on recordings that it was not adapted on"
        if self.ua.gain <= 0:
            return f"Adapting does not help {where} ({gain}): keep {start}."
        if self.interval is not None and self.interval[0] <= 0:
            low, high = self.interval
            return (
                f"Adapting may help {where} ({gain}), but the gain may be chance ({low:+.1f} to {high:+.1f} points): "
                f"more speakers would tell; until then {start} is no worse a choice."
            )
        if not self.apart:
            return f"Adapting helps {where} ({gain}), of the same speaker. That says nothing about other people."
        better = sum(pair.gain > 0 for pair in self.speakers.values())
        if self.interval is None and better < len(self.speakers):
            return (
                f"Adapting helps {better} of {len(self.speakers)} speakers that it was not adapted on ({gain}): "
                f"more speakers would tell whether it is better than {start}."
            )
        few = "" if self.interval is not None else " These are few speakers: others may gain more, less or nothing."
        return f"Adapting helps {where} ({gain}).{few}"


def measure(
    bags: Sequence[Bag], before: Sequence[int], after: Sequence[int], emotions: Sequence[str], apart: bool
) -> Measured:
    """Compare two decisions on each of n bags.

    Args:
        bags: the bags that were decided on.
        before: the start's class for each bag; -1 for none.
        after: the same, by a model that was not adapted on the bag.
        emotions: names of the classes.
        apart: whether no speaker of the bags was adapted on.
    """
    labels = np.array([bag.label for bag in bags])
    speakers = [bag.recording.speaker for bag in bags]
    present, place = np.unique(labels, return_inverse=True)
    names, person = np.unique(speakers, return_inverse=True)
    counts = np.zeros((len(names), len(present)))
    np.add.at(counts, (person, place), 1)
    hits = np.zeros((2, *counts.shape))
    right = [np.asarray(decided) == labels for decided in (before, after)]
    for system, its in enumerate(right):
        np.add.at(hits[system], (person, place), its)
    recall = 100 * hits.sum(1) / counts.sum(0)
    return Measured(
        recordings=len(bags),
        ua=Pair(*_ua(hits.sum(1), counts.sum(0)).tolist()),
        recall={
            emotions[label]: (Pair(*recall[:, number].tolist()), int(counts[:, number].sum()))
            for number, label in enumerate(present)
        },
        speakers={str(name): Pair(*_ua(hits[:, number], counts[number]).tolist()) for number, name in enumerate(names)},
        interval=intervals.mean_of_recalls(speakers, labels, right[1].astype(float) - right[0], seed=0)
        if apart and len(names) >= ENOUGH_SPEAKERS
        else None,
        apart=apart,
    )


def _ua(hits: NDArray[np.float64], counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean recall of the classes that occur, (...), in per cent, from hits (..., K) and counts (..., K)."""
    occurs = counts > 0
    recall = np.where(occurs, hits / np.where(occurs, counts, 1), 0)
    ua: NDArray[np.float64] = 100 * recall.sum(-1) / occurs.sum(-1)
    return ua
