"""The utterances of a corpus that are measured on, and the emotions that they count as."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from rtser.errors import InputError
from rtser_train.data.corpora import UNKNOWN_SPEAKER, Recording, read_corpus
from rtser_train.robustness.draws import generator

FEWEST_EMOTIONS = 2
MERGED = {"calm": "neutral"}
"""Emotions of corpora that count as another where the model does not know them itself."""

Item = TypeVar("Item")


class Spoken(NamedTuple):
    """One utterance, and the emotion that it counts as."""

    recording: Recording
    emotion: str

    @property
    def unit(self) -> str:
        """The unit that a bootstrap draws: the speaker, or for an unknown speaker the utterance."""
        one = self.recording
        return one.name if one.speaker == UNKNOWN_SPEAKER else one.speaker


@dataclass(frozen=True)
class Selection:
    """The utterances of one corpus, n of them, that are measured on.

    Attributes:
        corpus: its name.
        spoken: the utterances, in the corpus's order.
        emotions: those that corpus and models share, in the order of the first model's labels.
        merge: its emotions that count as others.
        left_out: how many utterances of each other emotion there are.
        available: how many utterances there were to choose from.
    """

    corpus: str
    spoken: tuple[Spoken, ...]
    emotions: tuple[str, ...]
    merge: Mapping[str, str]
    left_out: Mapping[str, int]
    available: int

    @property
    def speakers(self) -> list[str]:
        """The different speakers, unknown ones left out."""
        return sorted({one.recording.speaker for one in self.spoken} - {UNKNOWN_SPEAKER})

    @property
    def units(self) -> list[str]:
        """The unit that a bootstrap draws, for each utterance."""
        return [one.unit for one in self.spoken]

    @property
    def truth(self) -> np.ndarray[tuple[int], np.dtype[np.str_]]:
        """The emotions of the utterances, (n,)."""
        return np.array([one.emotion for one in self.spoken])


def merges(given: Sequence[str] | None, labels: Collection[str], otherwise: Mapping[str, str]) -> dict[str, str]:
    """What corpus emotions count as: from `--merge FROM=TO`, else from `otherwise` as far as the labels allow.

    Raises:
        InputError: a merge does not have this form, or names no label.
    """
    if given is None:
        return {source: to for source, to in otherwise.items() if to in labels and source not in labels}
    found = {}
    for one in given:
        source, equals, target = one.partition("=")
        if not equals and not one.strip():
            continue
        if not equals or target not in labels:
            raise InputError(
                f"--merge {one}: it must say FROM=TO, where TO is a label of the model",
                f"its labels are {', '.join(labels)}",
            )
        found[source] = target
    return found


def select(
    corpus: str,
    root: Path,
    labels: Sequence[str],
    merge: Mapping[str, str],
    wanted: Callable[[Recording], bool],
    limit: int | None = None,
    seed: int = 0,
) -> Selection:
    """The utterances of a corpus whose emotions the models know.

    Args:
        corpus: its name.
        root: its folder, or its table.
        labels: those that all models have.
        merge: corpus emotion -> label.
        wanted: whether a recording is measured on at all.
        limit: maximum number of utterances, balanced over emotions and speakers; None for all.
        seed: seed of the choice.

    Raises:
        InputError: the corpus cannot be read, none of its recordings is wanted, or it shares fewer than two emotions
            with the models.
    """
    recordings = [one for one in read_corpus(corpus, root) if wanted(one)]
    if not recordings:
        raise InputError(f"corpus {corpus} has no utterance of those who are to be measured on", "leave it out")
    spoken, left_out = [], Counter[str]()
    for recording in recordings:
        emotion = merge.get(recording.emotion or "", recording.emotion or "")
        if emotion in labels:
            spoken.append(Spoken(recording, emotion))
        else:
            left_out[emotion] += 1
    shared = {one.emotion for one in spoken}
    if len(shared) < FEWEST_EMOTIONS:
        raise InputError(
            f"corpus {corpus} shares {', '.join(shared) or 'no emotion'} with the model, and two emotions are needed",
            f"its emotions are {', '.join(sorted(shared | set(left_out))) or 'none'} (--merge FROM=TO says which label "
            "one of them counts as)",
        )
    chosen = spoken if limit is None else balanced(spoken, limit, generator(seed, "limit", corpus))
    present = {one.emotion for one in chosen}
    emotions = tuple(label for label in labels if label in present)
    merged = {one.recording.emotion or "": one.emotion for one in chosen if one.recording.emotion != one.emotion}
    return Selection(corpus, tuple(chosen), emotions, merged, dict(sorted(left_out.items())), len(spoken))


def balanced(spoken: Sequence[Spoken], limit: int, rng: np.random.Generator) -> list[Spoken]:
    """At most `limit` utterances, in their order: emotions take turns, and so do the speakers of each emotion."""
    cells: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for place in rng.permutation(len(spoken)).tolist():
        cells[spoken[place].emotion][spoken[place].recording.speaker].append(place)
    order = rng.permutation(sorted({one.recording.speaker for one in spoken})).tolist()
    turns = []
    for number, emotion in enumerate(sorted(cells)):
        begin = number * len(order) // len(cells)  # each emotion begins with another speaker, in case few are taken
        turns.append(_in_turn([cells[emotion][speaker] for speaker in (*order[begin:], *order[:begin])]))
    return [spoken[place] for place in sorted(islice(_in_turn(turns), limit))]


def _in_turn(lists: Sequence[Iterable[Item]]) -> Iterator[Item]:
    """One item of each list in turn, until all lists are empty."""
    nothing = object()
    for row in zip_longest(*lists, fillvalue=nothing):
        for one in row:
            if one is not nothing:
                yield one  # type: ignore[misc]
