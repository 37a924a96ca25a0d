"""Folds by speaker: nobody is in two parts of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sklearn.model_selection import GroupKFold

from train.bags import Bag
from train.config import Protocol
from train.corpora import CorpusError

FINAL = "final"
"""Name of the fold without test speakers, whose model ships."""


@dataclass(frozen=True)
class Fold:
    """One fold: the bags of three sets of speakers that share none.

    Attributes:
        name: ``1`` to ``n``, or ``final``.
        train: bags trained on.
        validation: bags that choose the epoch and the calibration.
        test: bags measured on; empty in the final fold.
    """

    name: str
    train: list[Bag]
    validation: list[Bag]
    test: list[Bag]

    def __post_init__(self) -> None:
        parts = [speakers(part) for part in (self.train, self.validation, self.test)]
        shared = (parts[0] & parts[1]) | (parts[0] & parts[2]) | (parts[1] & parts[2])
        if shared:
            raise CorpusError(f"fold {self.name}: speaker {min(shared)} is in two of training, validation and test.")

    def describe(self) -> str:
        """One line: sizes, and how many speakers and sentences training and test share."""
        sizes = ", ".join(
            f"{name} {len(part)} utterances of {len(speakers(part))} speakers"
            for name, part in (("training", self.train), ("validation", self.validation), ("test", self.test))
        )
        shared = len(speakers(self.train) & speakers(self.test))
        sentences = len(_sentences(self.train) & _sentences(self.test))
        return f"fold {self.name}: {sizes}; training and test share {shared} speakers, {sentences} sentences"


def speakers(bags: Iterable[Bag]) -> set[str]:
    """The speakers of some bags, as ``corpus/speaker``."""
    return {bag.utterance.group for bag in bags}


def deal(bags: Sequence[Bag], folds: int, seed: int) -> list[set[str]]:
    """Deal the speakers of every corpus evenly into folds.

    Raises:
        CorpusError: a corpus has fewer speakers than there are folds.
    """
    dealt: list[set[str]] = [set() for _ in range(folds)]
    for corpus in sorted({bag.utterance.corpus for bag in bags}):
        members = sorted(speakers(bag for bag in bags if bag.utterance.corpus == corpus))
        if len(members) < folds:
            raise CorpusError(
                f"corpus {corpus} has only {len(members)} speakers left to be dealt into {folds} parts (the test fold, "
                "validation and inner folds each take some); change protocol.folds, .validation or .inner_folds."
            )
        splitter = GroupKFold(folds, shuffle=True, random_state=seed)
        for fold, (_, chosen) in enumerate(splitter.split(members, groups=members)):
            dealt[fold] |= {members[i] for i in chosen}
    return dealt


def make_folds(bags: Sequence[Bag], protocol: Protocol, seed: int) -> list[Fold]:
    """The test folds in order, then the final one if the protocol has one."""
    tests = [*deal(bags, protocol.folds, seed), *([set()] if protocol.final else [])]
    names = [*map(str, range(1, protocol.folds + 1)), FINAL]
    folds = []
    for number, (name, test) in enumerate(zip(names, tests, strict=False)):
        rest = [bag for bag in bags if bag.utterance.group not in test]
        validation = deal(rest, max(2, round(1 / protocol.validation)), seed + number)[0]
        folds.append(
            Fold(
                name,
                train=[bag for bag in rest if bag.utterance.group not in validation],
                validation=[bag for bag in rest if bag.utterance.group in validation],
                test=[bag for bag in bags if bag.utterance.group in test],
            )
        )
    return folds


def _sentences(bags: Iterable[Bag]) -> set[tuple[str, str]]:
    return {(bag.utterance.corpus, bag.utterance.sentence) for bag in bags if bag.utterance.sentence}
