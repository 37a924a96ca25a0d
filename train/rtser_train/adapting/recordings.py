"""The recordings to adapt on: those of one corpus whose emotions the model knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rtser.errors import InputError
from rtser_train.config import Experiment
from rtser_train.data.bags import Bag
from rtser_train.data.corpora import Recording, audio_files, read_corpus
from rtser_train.data.experiment_data import with_features
from rtser_train.progress import ProgressReporter

FEW = 200
"""With this many recordings or fewer, this process reads them alone: starting other processes would take longer."""


def shared_recordings(experiment: Experiment, root: Path, reporter: ProgressReporter) -> list[tuple[Recording, int]]:
    """The recordings of the experiment's one corpus with their class indices; one line reports what is left out.

    Raises:
        InputError: the corpus cannot be read, or has recordings of fewer than two of the model's emotions.
    """
    (corpus,) = experiment.corpora
    found = [(one, experiment.label(corpus, one.emotion)) for one in read_corpus(corpus, root)]
    shared = [(recording, label) for recording, label in found if label is not None]
    unknown = Counter(str(recording.emotion) for recording, label in found if label is None)
    known = {label for _, label in shared}
    if len(known) < 2:
        has = f"only {experiment.emotions[min(known)]}" if known else "none"
        raise InputError(
            f"{corpus} has recordings of {has} of the model's emotions ({', '.join(experiment.emotions)}), "
            f"and at least two are needed (others of its own: {', '.join(sorted(unknown)) or 'none'})",
            "--merge OWN=MODEL says which of its emotions is which of the model's, as --merge anger=angry",
        )
    if unknown:
        counts = ", ".join(f"{count} of {emotion}" for emotion, count in sorted(unknown.items()))
        reporter.line(f"left out, because the model has no such label: {counts} (--merge OWN=MODEL names one)")
    return shared


def load_shared(
    experiment: Experiment, root: Path, noise: Path | None, reporter: ProgressReporter
) -> tuple[list[Bag], list[Bag]]:
    """The bags to adapt on, and those of a folder of recordings without speech.

    Raises:
        InputError: see `shared_recordings`; or the folder of noise has no audio file, or too few recordings are as
            long as a segment.
    """
    pairs = shared_recordings(experiment, root, reporter)
    roots = {experiment.corpora[0]: root}
    if noise is not None:
        if not (noise.is_dir() and audio_files(noise)):
            raise InputError(f"--noise {noise}: there is no audio file in this folder", "name a folder of recordings")
        roots[str(experiment.noise)] = noise
    bags, heard = with_features(pairs, experiment, roots, reporter, 1 if len(pairs) <= FEW else -1)
    if len({bag.label for bag in bags}) < 2:
        raise InputError(f"{experiment.corpora[0]} has too few recordings of a segment (0.335 s) or more")
    return bags, heard


def counts(bags: Sequence[Bag], emotions: Sequence[str]) -> dict[str, int]:
    """The number of recordings of each emotion that occurs."""
    found = Counter(bag.label for bag in bags)
    return {emotion: found[label] for label, emotion in enumerate(emotions) if found[label]}
