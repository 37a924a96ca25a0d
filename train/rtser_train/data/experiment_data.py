"""The recordings of an experiment, with their classes, as bags."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from rtser.errors import InputError
from rtser.words import counted
from rtser_train.config import Experiment
from rtser_train.data.bags import Bag, in_memory, load_bags
from rtser_train.data.corpora import Recording, is_held_out, noise_recordings, read_corpus
from rtser_train.files import written_ns
from rtser_train.progress import ProgressReporter


def labelled_recordings(
    experiment: Experiment, roots: Mapping[str, Path], reporter: ProgressReporter | None = None
) -> list[tuple[Recording, int]]:
    """The experiment's recordings of speech with their class indices; what is left out is reported.

    Recordings of other emotions are left out too, or have the index -1 if they train auxiliary outputs.

    Raises:
        InputError: a corpus has no utterance of the experiment's emotions, or an emotion has none in any corpus.
    """
    labelled: list[tuple[Recording, int]] = []
    left_out: Counter[str] = Counter()
    for name in experiment.corpora:
        counts: dict[tuple[str, int], int] = defaultdict(int)
        found = len(labelled)
        for recording in read_corpus(name, roots[name]):
            label = experiment.label(name, recording.emotion)
            if label is None:
                left_out[f"{name} {recording.emotion}"] += 1
                continue
            counts[recording.speaker, label] += 1
            if experiment.limit is None or counts[recording.speaker, label] <= experiment.limit:
                labelled.append((recording, label))
        if len(labelled) == found:
            raise InputError(
                f"corpus {name} has no utterance of {', '.join(experiment.emotions)}",
                "take it out of `corpora`, or let `merge` give its emotions these names",
            )
    missing = set(range(len(experiment.emotions))) - {label for _, label in labelled}
    if missing:
        raise InputError(
            f"no corpus has an utterance of {experiment.emotions[min(missing)]}",
            "take it out of `emotions` in the configuration",
        )
    if reporter and left_out:
        reporter.line("left out: " + ", ".join(f"{count} of {name}" for name, count in sorted(left_out.items())))
    return labelled


def load(
    experiment: Experiment, roots: Mapping[str, Path], reporter: ProgressReporter, jobs: int
) -> tuple[list[Bag], list[Bag]]:
    """The experiment's bags, and those of its noise recordings.

    Args:
        experiment: all settings.
        roots: the folder of each corpus and of the noise recordings, by name.
        reporter: reports the progress.
        jobs: processes that extract what is not in the cache; -1 for one per core.
    """
    return with_features(labelled_recordings(experiment, roots, reporter), experiment, roots, reporter, jobs)


def with_features(
    labelled: Sequence[tuple[Recording, int]],
    experiment: Experiment,
    roots: Mapping[str, Path],
    reporter: ProgressReporter,
    jobs: int,
) -> tuple[list[Bag], list[Bag]]:
    """The bags of labelled recordings, and those of the experiment's noise recordings; the arguments are `load`'s."""
    pairs = list(labelled)
    if experiment.noise:
        heard = noise_recordings(experiment.noise, roots[experiment.noise])
        pairs += [(one, -1) for one in heard if not (experiment.noise_held_out and is_held_out(one))]
    bags, short = [], 0
    with reporter.job("features", len(pairs)) as job:
        for bag in load_bags(pairs, jobs, experiment.features):
            job.step()
            if bag is None:
                short += 1
            else:
                bags.append(bag)
    if short:
        reporter.line(f"left out: {counted(short, 'recording')} shorter than a segment (0.335 s)")
    noise = [in_memory(bag) for bag in bags if not bag.recording.emotion]  # mixed into many crops
    return [bag for bag in bags if bag.recording.emotion], noise


def fingerprint(bags: Sequence[Bag]) -> str:
    """SHA-256 of the bags' recordings, their classes, and the times at which their files were last written."""
    described = [(str(bag.recording), bag.label, written_ns(bag.recording.path)) for bag in bags]
    return hashlib.sha256(json.dumps(described).encode()).hexdigest()
