"""The protocol: on which speakers a model is adapted, and on which it is tested."""

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
    """What is adapted on, and what is tested on.

    Attributes:
        folds: each is adapted on its training part and decides on its test part, which it never heard; what all of
            them say calibrates the final model.
        final: what the model that is written is adapted on; its test part is empty unless test speakers were named.
        apart: whether nobody who is tested on was adapted on.
    """

    folds: list[Fold]
    final: Fold
    apart: bool

    @property
    def tested(self) -> list[Bag]:
        """What is tested on, in the order in which it is."""
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

    Recordings of unknown speakers are adapted on in every fold of speakers, and not tested on.

    Args:
        bags: all there are, of one corpus.
        test: names of the speakers to test on, who are kept out of all else; empty: the folds test.
        seed: deals them.

    Raises:
        InputError: nobody has one of these names, nobody is left to adapt on, or an emotion has one recording only
            where folds of recordings are needed.
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
    """How many speakers, and who they are if they are few."""
    names = sorted({bag.recording.speaker for bag in bags})
    return f"{len(names)} speaker{'s' * (len(names) > 1)}" + (
        f" ({', '.join(names)})" if len(names) <= MOST_FOLDS else ""
    )
