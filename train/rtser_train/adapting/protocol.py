"""The protocol: the speakers that a model is adapted on, and those that it is tested on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from rtser.errors import InputError
from rtser.words import counted
from rtser_train.config import FINAL
from rtser_train.data.bags import Bag
from rtser_train.data.corpora import UNKNOWN_SPEAKER
from rtser_train.data.folds import Fold, Unit, deal, itself, speaker

MOST_FOLDS = 5


@dataclass(frozen=True)
class Protocol:
    """The recordings to adapt on, and those to test on.

    Attributes:
        folds: a model is adapted on each fold's training part and decides on its test part, which it never saw; the
            decisions of all folds calibrate the final model.
        final: what the written model is adapted on; its test part is empty unless test speakers were named.
        apart: whether a model is adapted on none of its test speakers.
    """

    folds: list[Fold]
    final: Fold
    apart: bool

    @property
    def tested(self) -> list[Bag]:
        """The tested bags, in the order of the tests."""
        return self.final.test or [bag for fold in self.folds for bag in fold.test]

    def words(self) -> str:
        """The protocol, in words."""
        if self.final.test:
            who = f"adapted on {_named(self.final.train)}, tested on {_named(self.final.test)}, whom it never heard"
            return f"speaker-independent: {who}; {_FIXED}"
        if self.apart:
            people = len({bag.recording.group for bag in self.tested})
            return (
                f"speaker-independent: {len(self.folds)} folds of {people} speakers, each tested by a model that was "
                f"adapted on the others; the file itself was adapted on all; {_FIXED}"
            )
        return (
            f"not speaker-independent: {len(self.folds)} folds of recordings, so whoever is tested on was adapted on "
            f"too, which says nothing about other people; the file itself was adapted on all; {_FIXED}"
        )


_FIXED = "all settings were fixed beforehand"


def make_protocol(bags: Sequence[Bag], test: Sequence[str], seed: int) -> Protocol:
    """Folds of speakers, or of recordings where fewer than two speakers are known.

    In folds of speakers, recordings of unknown speakers are adapted on in every fold and never tested on.

    Args:
        bags: all bags of one corpus.
        test: names of the speakers to test on, who are kept out of all else; if empty, the folds test.
        seed: seed of the deal into folds.

    Raises:
        InputError: no speaker has one of these names, fewer than two emotions are left to adapt on, or folds of
            recordings are needed and an emotion has only one recording.
    """
    names = {bag.recording.speaker for bag in bags} - {UNKNOWN_SPEAKER}
    unknown = sorted(set(test) - names)
    if unknown:
        raise InputError(
            f"there is no speaker {unknown[0]} to test on", f"there are {', '.join(sorted(names)) or 'none'}"
        )
    rest = [bag for bag in bags if bag.recording.speaker not in test]
    if len({bag.label for bag in rest}) < 2:
        raise InputError(
            f"without {', '.join(test)} fewer than two emotions are left to adapt on", "test on fewer speakers"
        )
    held = [bag for bag in bags if bag.recording.speaker in test]
    known = [bag for bag in rest if bag.recording.speaker != UNKNOWN_SPEAKER]
    people = len({bag.recording.speaker for bag in known})
    folds = (
        _folds(rest, known, min(people, MOST_FOLDS), speaker, seed) if people > 1 else _folds_of_recordings(rest, seed)
    )
    return Protocol(folds, Fold(FINAL, rest, [], held, speaker), apart=bool(test) or people > 1)


def told(fold: Fold) -> str:
    """What a fold is adapted on and tested on, in words."""
    words = f"adapted on {counted(len(fold.train), 'recording')} of {_named(fold.train)}"
    return f"{words}, tested on {len(fold.test)} of {_named(fold.test)}" if fold.test else words


def _folds_of_recordings(bags: list[Bag], seed: int) -> list[Fold]:
    fewest = min(Counter(bag.label for bag in bags).values())
    if fewest < 2:
        (lonely, *_) = [bag for bag in bags if sum(bag.label == other.label for other in bags) < 2]
        raise InputError(
            f"{lonely.recording.emotion} has one recording only, so nothing is left to test it with",
            "add a second one, or take it out",
        )
    return _folds(bags, bags, min(fewest, MOST_FOLDS), itself, seed)


def _folds(bags: list[Bag], tested: list[Bag], count: int, unit: Unit, seed: int) -> list[Fold]:
    return [
        Fold(
            str(number),
            [bag for bag in bags if unit(bag.recording) not in part],
            [],
            [bag for bag in tested if unit(bag.recording) in part],
            unit,
        )
        for number, part in enumerate(deal(tested, count, seed, unit), start=1)
    ]


def _named(bags: Sequence[Bag]) -> str:
    """The number of speakers, and their names if they are few."""
    names = sorted({bag.recording.speaker for bag in bags})
    return f"{len(names)} speaker{'s' * (len(names) > 1)}" + (
        f" ({', '.join(names)})" if len(names) <= MOST_FOLDS else ""
    )
