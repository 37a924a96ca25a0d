"""The recordings of an experiment: which utterances of its corpora, with which class, as bags."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from pathlib import Path

from rtser.errors import InputError
from rtser_train.config import Experiment
from rtser_train.data.bags import Bag, load_bags
from rtser_train.data.corpora import Utterance, noise_recordings, read_corpus
from rtser_train.progress import Reporter


def utterances(
    experiment: Experiment, roots: Mapping[str, Path], reporter: Reporter | None = None
) -> list[tuple[Utterance, int]]:
    """The experiment's utterances with their class indices; what is left out is reported.

    Raises:
        InputError: a corpus has no utterance of the experiment's emotions, or an emotion has none in any corpus.
    """
    labelled: list[tuple[Utterance, int]] = []
    left_out: Counter[str] = Counter()
    for name in experiment.corpora:
        counts: dict[tuple[str, int], int] = defaultdict(int)
        found = len(labelled)
        for utterance in read_corpus(name, roots[name]):
            label = experiment.label(utterance.emotion)
            if label is None:
                left_out[f"{name} {utterance.emotion}"] += 1
                continue
            counts[utterance.speaker, label] += 1
            if experiment.limit is None or counts[utterance.speaker, label] <= experiment.limit:
                labelled.append((utterance, label))
        if len(labelled) == found:
            raise InputError(f"corpus {name} has no utterance of {', '.join(experiment.emotions)}; merge: can rename.")
    missing = set(range(len(experiment.emotions))) - {label for _, label in labelled}
    if missing:
        raise InputError(f"no corpus has an utterance of {experiment.emotions[min(missing)]}; leave it out.")
    if reporter and left_out:
        reporter.line("left out: " + ", ".join(f"{count} of {name}" for name, count in sorted(left_out.items())))
    return labelled


def load(
    experiment: Experiment, roots: Mapping[str, Path], reporter: Reporter, jobs: int = -1
) -> tuple[list[Bag], list[Bag]]:
    """The experiment's bags, and those of its noise recordings; extracted by so many processes where not cached."""
    pairs = utterances(experiment, roots, reporter)
    if experiment.noise:
        pairs += [(one, -1) for one in noise_recordings(experiment.noise, roots[experiment.noise])]
    bags, short = [], 0
    with reporter.job("features", len(pairs)) as job:
        for bag in load_bags(pairs, jobs):
            job.step()
            if bag is None:
                short += 1
            else:
                bags.append(bag)
    if short:
        reporter.line(f"left out: {short} recordings shorter than a segment (0.335 s)")
    return [bag for bag in bags if bag.label >= 0], [bag for bag in bags if bag.label < 0]
