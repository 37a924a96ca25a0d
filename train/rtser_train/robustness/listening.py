"""Streams utterances through the models, in several processes, and keeps the results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from joblib import Parallel, delayed
from joblib.externals.loky.process_executor import TerminatedWorkerError

from rtser.audio.file import read_audio
from rtser.errors import InputError
from rtser.settings import ListenSettings
from rtser_train.data.bags import read_samples
from rtser_train.data.cache import Arrays
from rtser_train.data.corpora import UNKNOWN_SPEAKER, Recording
from rtser_train.evaluation.joined import join, streamed, told
from rtser_train.evaluation.nonspeech import FalseAlarms, false_alarms
from rtser_train.evaluation.streaming import opened
from rtser_train.files import written_ns
from rtser_train.progress import ProgressReporter
from rtser_train.robustness.conditions import CLEAN, Condition
from rtser_train.robustness.contestants import Contestant, Part
from rtser_train.robustness.draws import Draw, Material, generator
from rtser_train.robustness.hearing import NONE, Heard, Outcomes, hear
from rtser_train.robustness.kept import Kept
from rtser_train.robustness.selection import Selection, Spoken

PAUSES_S = (0.5, 1.0)
"""Shortest and longest pause between joined utterances."""
JOINED = 40
"""Maximum number of a speaker's utterances in one sequence; more make several sequences."""


class Told(NamedTuple):
    """The labels of joined utterances, in the order of their sequences; the first of each sequence is left out.

    Attributes:
        places: index of each utterance in the selection, (m,).
        labels: index of the label of each, (m,); -1 for none.
    """

    places: np.ndarray[Any, np.dtype[np.int64]]
    labels: np.ndarray[Any, np.dtype[np.int64]]


class Listening:
    """Measures contestants.

    Args:
        material: what is drawn from.
        kept: earlier results.
        reporter: reports the progress.
        jobs: processes; -1 for one per core.
    """

    def __init__(self, material: Material, kept: Kept, reporter: ProgressReporter, jobs: int) -> None:
        self._material, self._kept, self._reporter, self._jobs = material, kept, reporter, jobs

    def outcomes(self, contestant: Contestant, selection: Selection, condition: Condition) -> Outcomes:
        """A contestant's decisions on the utterances under a condition.

        Raises:
            InputError: a recording cannot be read.
            OutputError: the result cannot be kept.
        """
        labels, clean = contestant.labels, condition == CLEAN
        heard: list[Heard] = [Heard(np.full(len(labels), np.nan, np.float32), [])] * len(selection.spoken)
        for part, places in _places(contestant, selection.spoken):
            spoken = [selection.spoken[place].recording for place in places]

            def listen(part: Part = part, spoken: list[Recording] = spoken) -> Arrays:
                calls = [(part.path, written_ns(part.path), condition, self._material, one) for one in spoken]
                return _packed(self._each(f"{selection.corpus}, {condition.title}", _hear, calls))

            depends = {
                "condition": condition.name,
                "seed": self._material.seed,
                "material": _files(self._files_of(condition.group)),
                "model": part.sha256,
                "spoken": _recordings(spoken),
            }
            kept = self._kept.arrays(f"{selection.corpus}-{condition.name}", depends, listen)
            for place, one in zip(places, _unpacked(kept), strict=True):
                heard[place] = one
        return Outcomes.of(heard, labels, so_far=clean)

    def joined(self, contestant: Contestant, selection: Selection) -> Told:
        """A contestant's labels for a speaker's utterances one after another; unknown speakers are left out."""
        places_of, labels_of = [], []
        for part, places in _places(contestant, selection.spoken):
            sequences = _sequences(selection, places, self._material.seed)

            def listen(part: Part = part, sequences: list[list[int]] = sequences) -> Arrays:
                calls = [
                    (part.path, written_ns(part.path), self._material.seed, [selection.spoken[one] for one in sequence])
                    for sequence in sequences
                ]
                told = self._each(f"{selection.corpus}, joined", _tell, calls)
                return {"labels": np.array([label for one in told for label in one], np.int64)}

            depends = {
                "condition": "joined",
                "seed": self._material.seed,
                "model": part.sha256,
                "spoken": [_recordings([selection.spoken[one].recording for one in each]) for each in sequences],
            }
            places_of += [place for sequence in sequences for place in sequence[1:]]
            labels_of += self._kept.arrays(f"{selection.corpus}-joined", depends, listen)["labels"].tolist()
        return Told(np.array(places_of, np.int64), np.array(labels_of, np.int64))

    def alarms(self, contestant: Contestant, name: str, files: Sequence[Path]) -> FalseAlarms:
        """The false alarms on files without speech, of all models of a contestant together."""
        counts: list[FalseAlarms] = []
        for part in contestant.parts:

            def listen(part: Part = part) -> Arrays:
                calls = [(part.path, written_ns(part.path), file) for file in files]
                return {"counts": np.array(self._each(f"{name}, no speech", _alarms, calls), np.int64).reshape(-1, 5)}

            depends = {"condition": "nonspeech", "model": part.sha256, "files": _files(files)}
            rows = self._kept.arrays("nonspeech", depends, listen)["counts"]
            counts += [FalseAlarms(*row) for row in rows.tolist()]
        return FalseAlarms.pooled(counts)

    def _each(self, name: str, work: Callable[..., Any], calls: Sequence[tuple[Any, ...]]) -> list[Any]:
        """The results of some calls, in order."""
        found = []
        with self._reporter.job(name, len(calls)) as job:
            try:
                for one in Parallel(n_jobs=self._jobs, return_as="generator")(delayed(work)(*call) for call in calls):
                    found.append(one)
                    job.step()
            except TerminatedWorkerError:
                raise InputError(
                    "a measuring process was killed, perhaps because memory ran out",
                    "run the same command again with fewer --jobs: it keeps what is measured and goes on",
                ) from None
        return found

    def _files_of(self, group: str) -> Sequence[Path]:
        return {"noise": self._material.noise, "rooms": self._material.rooms}.get(group, ())


def _places(contestant: Contestant, spoken: Sequence[Spoken]) -> list[tuple[Part, list[int]]]:
    """The places of the utterances that each part is measured on."""
    places: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(spoken):
        part = contestant.part_of(one.recording)
        if part is not None:
            places[part].append(place)
    return [(contestant.parts[part], places[part]) for part in sorted(places)]


def _sequences(selection: Selection, places: Sequence[int], seed: int) -> list[list[int]]:
    """The utterances of each speaker in random order, in sequences of at least 2 and at most `JOINED`."""
    of_speaker: dict[str, list[int]] = defaultdict(list)
    for place in places:
        speaker = selection.spoken[place].recording.speaker
        if speaker != UNKNOWN_SPEAKER:
            of_speaker[speaker].append(place)
    found = []
    for speaker, mine in sorted(of_speaker.items()):
        order = generator(seed, "joined", selection.corpus, speaker).permutation(mine).tolist()
        found += [order[at : at + JOINED] for at in range(0, len(order), JOINED)]
    return [sequence for sequence in found if len(sequence) > 1]


def _hear(model: Path, model_ns: int, condition: Condition, material: Material, recording: Recording) -> Heard:
    try:
        samples = read_samples(recording)
    except InputError as error:
        raise InputError(error.problem.removeprefix("training data: "), error.advice) from None
    if len(samples):
        draw = Draw(material, condition.group, recording.corpus, recording.name)
        samples = np.ascontiguousarray(condition.alter(samples, draw), np.float32)
    return hear(opened(model, model_ns), samples)


def _tell(model: Path, model_ns: int, seed: int, spoken: Sequence[Spoken]) -> list[int]:
    first = spoken[0].recording
    rng = generator(seed, "pauses", first.corpus, first.name)
    samples, parts = join(spoken, PAUSES_S, rng)
    loaded = opened(model, model_ns)
    utterances = streamed(loaded, samples, ListenSettings()).utterances
    named = [told(utterances, part) for part in parts[1:]]
    return [NONE if label is None else loaded.labels.index(label) for label in named]


def _alarms(model: Path, model_ns: int, file: Path) -> FalseAlarms:
    return false_alarms(opened(model, model_ns), ListenSettings(), [read_audio(file)])


def _recordings(recordings: Iterable[Recording]) -> list[list[Any]]:
    return [[*one.key, written_ns(one.path)] for one in recordings]


def _files(files: Sequence[Path]) -> list[list[Any]]:
    return [[str(file), written_ns(file)] for file in files]


def _packed(heard: Sequence[Heard]) -> Arrays:
    return {
        "probabilities": np.array([one.probabilities for one in heard], np.float32),
        "so_far": np.array([label for one in heard for label in one.so_far], np.int16),
        "lengths": np.array([len(one.so_far) for one in heard], np.int64),
    }


def _unpacked(arrays: Arrays) -> list[Heard]:
    ends = np.cumsum(arrays["lengths"])[:-1]
    labels = np.split(arrays["so_far"], ends)
    return [Heard(row, one.tolist()) for row, one in zip(arrays["probabilities"], labels, strict=True)]
