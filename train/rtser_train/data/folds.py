"""Folds: the speakers that a model is trained, validated and tested on."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sklearn.model_selection import GroupKFold, StratifiedKFold

from rtser.words import counted
from rtser_train.config import FINAL
from rtser_train.data.bags import Bag
from rtser_train.data.corpora import UNKNOWN_SPEAKER, CorpusError, Recording
from rtser_train.run import Parts
from rtser_train.settings import Protocol

Unit = Callable[[Recording], str]


@dataclass(frozen=True)
class Fold:
    """One fold: three sets of bags that have no unit in common.

    Attributes:
        name: ``1`` to ``n``, or the name in a table, or ``final``.
        train: bags trained on.
        validation: bags that choose the epoch and the calibration; empty if inner folds of `train` choose them.
        test: bags to test on; empty in the final fold.
        unit: what must not be in two parts: a speaker, a session, or only the recording itself.
    """

    name: str
    train: list[Bag]
    validation: list[Bag]
    test: list[Bag]
    unit: Unit

    def __post_init__(self) -> None:
        parts = [units(part, self.unit) for part in (self.train, self.validation, self.test)]
        shared = (parts[0] & parts[1]) | (parts[0] & parts[2]) | (parts[1] & parts[2])
        if self.unit is not itself:
            shared |= speakers([*self.train, *self.validation]) & speakers(self.test)
        if shared:
            raise CorpusError(f"fold {self.name}: {min(shared)} is in two of training, validation and test")

    def parts(self) -> Parts:
        """How many recordings of each speaker are in which part, and a fingerprint of all of them."""
        bags_of = {"train": self.train, "validation": self.validation, "test": self.test}
        counts = {
            name: dict(sorted(Counter(bag.recording.group for bag in bags).items())) for name, bags in bags_of.items()
        }
        recordings = sorted((name, itself(bag.recording), bag.label) for name, bags in bags_of.items() for bag in bags)
        return Parts(**counts, recordings=hashlib.sha256(json.dumps(recordings).encode()).hexdigest())

    def describe(self) -> str:
        """One line: sizes, and how many speakers and sentences training and test share."""
        validation = f"validation {_size(self.validation)}" if self.validation else "validation by inner folds"
        sizes = f"training {_size(self.train)}, {validation}, test {_size(self.test)}"
        shared = counted(len(speakers(self.train) & speakers(self.test)), "speaker")
        sentences = counted(len(_sentences(self.train) & _sentences(self.test)), "sentence")
        return f"fold {self.name}: {sizes}; training and test share {shared}, {sentences}"


def _size(bags: Sequence[Bag]) -> str:
    """The size of a part, in words."""
    return f"{counted(len(bags), 'utterance')} of {counted(len(speakers(bags)), 'speaker')}"


def speaker(recording: Recording) -> str:
    """Who speaks, as ``corpus/speaker``."""
    return recording.group


def session(recording: Recording) -> str:
    """The recording session, as ``corpus/session``."""
    if not recording.session:
        raise CorpusError(
            f"corpus {recording.corpus} has no sessions", "choose another protocol.kind, such as leave-one-speaker-out"
        )
    return f"{recording.corpus}/{recording.session}"


def itself(recording: Recording) -> str:
    """The recording, unique over all corpora, as ``corpus/name``."""
    return "/".join(recording.key)


UNITS: dict[str, Unit] = {
    "speakers": speaker,
    "leave-one-speaker-out": speaker,
    "leave-one-session-out": session,
    "random": itself,
    "table": speaker,
}
"""The unit that each kind of protocol keeps in one part."""


def units(bags: Iterable[Bag], unit: Unit) -> set[str]:
    """The units of some bags."""
    return {unit(bag.recording) for bag in bags}


def speakers(bags: Iterable[Bag]) -> set[str]:
    """The speakers of some bags, as ``corpus/speaker``."""
    return units(bags, speaker)


def deal(bags: Sequence[Bag], parts: int, seed: int, unit: Unit) -> list[set[str]]:
    """Deal the units of every corpus evenly into parts; if they are utterances, with each emotion spread evenly.

    Raises:
        CorpusError: a corpus has fewer units than there are parts.
    """
    dealt: list[set[str]] = [set() for _ in range(parts)]
    for corpus in sorted({bag.recording.corpus for bag in bags}):
        labels = {unit(bag.recording): bag.label for bag in bags if bag.recording.corpus == corpus}
        members = sorted(labels)
        fewest = min(Counter(labels.values()).values()) if unit is itself else len(members)
        if fewest < parts:
            left = f"{counted(fewest, 'recording')} of some emotion" if unit is itself else counted(fewest, "speaker")
            raise CorpusError(
                f"corpus {corpus} has only {left} left to be dealt into {parts} parts (the test fold, "
                "validation and inner folds each take some)",
                "change protocol.folds, protocol.validation or protocol.inner_folds",
            )
        settings = {"n_splits": parts, "shuffle": True, "random_state": seed}
        if unit is itself:
            splits = StratifiedKFold(**settings).split(members, [labels[member] for member in members])
        else:
            splits = GroupKFold(**settings).split(members, groups=members)
        for part, (_, chosen) in zip(dealt, splits, strict=True):
            part |= {members[i] for i in chosen}
    return dealt


def inner_parts(train: Sequence[Bag], protocol: Protocol, seed: int) -> list[set[str]]:
    """The units of a training fold in the parts of the second cross-validation."""
    unit = UNITS[protocol.kind]
    fewest = min(
        len(units((bag for bag in train if bag.recording.corpus == corpus), unit))
        for corpus in {bag.recording.corpus for bag in train}
    )
    if fewest < 2:
        raise CorpusError(
            "a corpus has only one speaker left to train on, too few for inner folds", "set protocol.nested to false"
        )
    return deal(train, min(protocol.inner_folds, fewest), _dealt_by(protocol, seed), unit)


def make_folds(bags: Sequence[Bag], protocol: Protocol, seed: int) -> list[Fold]:
    """The test folds in order, then the final one if the protocol has one.

    Recordings of unknown speakers, and utterances of no class, are only trained on. Utterances of no class are left out
    where their speaker is validated or tested on.

    Raises:
        CorpusError: the corpora have too few speakers or no sessions, or the table lacks a speaker.
    """
    unit, seed = UNITS[protocol.kind], _dealt_by(protocol, seed)
    named = [bag for bag in bags if bag.recording.speaker != UNKNOWN_SPEAKER and bag.label >= 0]
    if not named:
        raise CorpusError("no recording names its speaker, so nobody can be tested on", "add a corpus with speakers")
    tests = _tests(named, protocol, seed) | ({FINAL: set()} if protocol.final else {})
    folds = []
    for number, (name, test) in enumerate(tests.items()):
        rest = [bag for bag in bags if unit(bag.recording) not in test]
        validation: set[str] = set()
        if not protocol.nested:
            known = [bag for bag in named if unit(bag.recording) not in test]
            validation = deal(known, max(2, round(1 / protocol.validation)), seed + number, unit)[0]
        folds.append(
            Fold(
                name,
                train=[bag for bag in rest if unit(bag.recording) not in validation],
                validation=[bag for bag in named if unit(bag.recording) in validation],
                test=[bag for bag in named if unit(bag.recording) in test],
                unit=unit,
            )
        )
    return folds


def _dealt_by(protocol: Protocol, seed: int) -> int:
    """The seed of the deal, for a run with this seed."""
    return seed if protocol.seed is None else protocol.seed


def _tests(bags: Sequence[Bag], protocol: Protocol, seed: int) -> dict[str, set[str]]:
    """The units of each test fold by its name."""
    unit = UNITS[protocol.kind]
    if protocol.kind == "table":
        return _by_table(bags, protocol)
    if protocol.kind in ("speakers", "random"):
        tests = deal(bags, protocol.folds, seed, unit)
    else:
        tests = [{one} for one in sorted(units(bags, unit))]
        if len(tests) < 2:
            raise CorpusError(
                f"protocol.kind {protocol.kind} finds nothing but {', '.join(units(bags, unit))} to make folds of"
            )
    return {str(number): test for number, test in enumerate(tests, start=1)}


def _by_table(bags: Sequence[Bag], protocol: Protocol) -> dict[str, set[str]]:
    """The speakers of each fold of the protocol's table, or of the corpus's own; folds sorted by name.

    The table names a speaker alone, or as ``corpus/speaker`` where there are several corpora.
    """
    table = protocol.table if isinstance(protocol.table, dict) else None
    if table is not None and len({bag.recording.corpus for bag in bags}) == 1:
        corpus = bags[0].recording.corpus
        table = {f"{corpus}/{name.removeprefix(f'{corpus}/')}": fold for name, fold in table.items()}
    folds: dict[str, set[str]] = {}
    for bag in bags:
        recording = bag.recording
        fold = recording.fold if table is None else table.get(recording.group, "")
        if not fold:
            raise CorpusError(f"the table of folds names no fold for {recording.group} ({recording.path})")
        if fold == FINAL or "/" in fold:
            raise CorpusError(
                f"the table of folds has a fold named {fold}", "give it a name without a slash, other than final"
            )
        folds.setdefault(fold, set()).add(recording.group)
    if len(folds) < 2:
        raise CorpusError(f"the table of folds has only one fold ({', '.join(folds)})", "name at least two")
    names = sorted(folds, key=lambda name: (len(name), name))
    for one, other in ((a, b) for a in names for b in names if a < b):
        if folds[one] & folds[other]:
            raise CorpusError(f"the table of folds has {min(folds[one] & folds[other])} in both {one} and {other}")
    return {name: folds[name] for name in names}


def _sentences(bags: Iterable[Bag]) -> set[tuple[str, str]]:
    return {(bag.recording.corpus, bag.recording.sentence) for bag in bags if bag.recording.sentence}
