"""Bags: an utterance's log-Mel frames and how much speech each of its segments holds.

They are extracted once, by the same front-end as in the export (`front_end`), and kept in a cache. Its key is the
content of the audio file and the front-end. Frames are read when they are used, because those of many hours do not fit
into memory.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from rtser.audio.file import read_audio
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, SEGMENT_SAMPLES, segment_count
from rtser.errors import InputError
from rtser_train.data import waveform
from rtser_train.data.cache import CACHE, Arrays, kept
from rtser_train.data.corpora import Recording
from rtser_train.data.pools import one_thread
from rtser_train.files import written_ns
from rtser_train.front_end import fingerprint, log_mel
from rtser_train.memo import last_of_each_thread
from rtser_train.settings import Features

VAD_WINDOW_SAMPLES = 512
BAGS = CACHE / "bags"

Frames = NDArray[np.float32]


@dataclass(frozen=True)
class Bag:
    """One utterance, ready for training.

    Attributes:
        recording: where it comes from.
        label: class index of its emotion; -1 for a recording without speech, or of an emotion that is no class.
        speech: share of speech in each segment, (S,), float32, 0..1.
        versions: each reads the log-Mel frames of one version of the sound, (2 + 6 h, 64), float32; the first one is
            the unchanged sound.
    """

    recording: Recording
    label: int
    speech: NDArray[np.float32]
    versions: tuple[Callable[[], Frames], ...]

    @property
    def frames(self) -> Frames:
        """Log-Mel frames of the unchanged sound, (2 + 6 h, 64), float32; read again each time."""
        return self.versions[0]()

    @property
    def segments(self) -> int:
        """S, the number of segments."""
        return len(self.speech)


def load_bags(
    labelled: Iterable[tuple[Recording, int]], jobs: int, features: Features = Features(), folder: Path = BAGS
) -> Iterator[Bag | None]:
    """Extract, or find in the cache, one bag per recording, in order.

    Args:
        labelled: recordings with their class indices.
        features: which features, and how many versions of the sound (for utterances of a class only).
        jobs: processes at the same time; -1 for one per core. With 1 all is done in this thread: in a Dask worker,
            joblib would give the thread's place to another task, and this task could wait for it for ever.
        folder: the cache.

    Yields:
        the bag, or None for a recording shorter than one segment.
    """
    pairs = list(labelled)
    made: Iterable[tuple[NDArray[np.float32], list[Path]]]
    if jobs == 1:
        made = (_made(recording, features, folder, label >= 0) for recording, label in pairs)
    else:
        calls = (delayed(_made)(recording, features, folder, label >= 0) for recording, label in pairs)
        made = Parallel(n_jobs=jobs, return_as="generator")(calls)
    for (recording, label), (speech, files) in zip(pairs, made, strict=True):
        versions = tuple(partial(_frames, file) for file in files)
        yield Bag(recording, label, speech, versions) if len(speech) else None


def in_memory(bag: Bag) -> Bag:
    """The bag with the frames of the unchanged sound in memory."""
    frames = bag.frames
    return replace(bag, versions=(lambda: frames,))


def read_samples(recording: Recording) -> NDArray[np.float32]:
    """A recording's samples, (n,), float32, 16 kHz: its file, or its part of the file.

    Raises:
        InputError: the file cannot be read, or ends before the recording does.
    """
    try:
        samples = _samples(recording.path, written_ns(recording.path))
    except InputError as error:
        raise InputError(f"training data: {error.problem}", error.advice) from None
    length_s = len(samples) / SAMPLE_RATE
    if max(recording.start_s, recording.end_s or 0) > length_s:
        span = f"{recording.start_s} to {'its end' if recording.end_s is None else f'{recording.end_s} s'}"
        raise InputError(f"training data: {recording.path} is {length_s:.2f} s long, and {span} lies beyond")
    start, end = (None if at is None else round(at * SAMPLE_RATE) for at in (recording.start_s, recording.end_s))
    return samples[start:end]


@last_of_each_thread
def _samples(path: Path, written_ns: int) -> NDArray[np.float32]:  # noqa: ARG001  # a rewritten file is read again
    """The samples of the last requested file: the utterances of a long recording follow one another."""
    return read_audio(path)


def speech_share(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of speech in each segment, (S,), by the Silero voice activity detector.

    Mean of the detector's probabilities over the 32 ms windows whose centres lie in the segment.
    """
    windows = _detector().audio_forward(samples, SAMPLE_RATE)
    centres = np.arange(len(windows)) * VAD_WINDOW_SAMPLES + VAD_WINDOW_SAMPLES // 2
    starts = np.arange(segment_count(len(samples))) * HOP_SAMPLES
    first, last = np.searchsorted(centres, starts), np.searchsorted(centres, starts + SEGMENT_SAMPLES)
    sums = np.concatenate([[0.0], np.cumsum(windows, dtype=np.float64)])
    share: NDArray[np.float32] = ((sums[last] - sums[first]) / (last - first)).astype(np.float32)
    return share


@cache
def _detector() -> Any:
    """The detector that takes a whole recording at once, which is eight times as fast as window by window."""
    from silero_vad import load_silero_vad

    return load_silero_vad(sequence=True)


@cache
def _recipe(energy_floor: float) -> bytes:
    return json.dumps([fingerprint(energy_floor), version("silero-vad")], sort_keys=True).encode()


def _made(
    recording: Recording, features: Features, folder: Path, changes: bool
) -> tuple[NDArray[np.float32], list[Path]]:
    """The share of speech in a recording's segments, and the file of each version's frames (one without `changes`)."""
    spoken, floor = recording.emotion is not None, features.energy_floor
    recipe = _recipe(floor) + bytes([spoken])

    def as_it_is() -> Arrays:
        samples = read_samples(recording)
        share = speech_share(samples) if spoken else np.zeros(segment_count(len(samples)), np.float32)
        with one_thread():
            return {"frames": log_mel(samples, floor), "speech": share}

    def another(number: int) -> Arrays:
        samples = read_samples(recording)
        with one_thread():
            other = waveform.changed(samples, features.waveform, [*recording.key, str(number)])
            return {"frames": log_mel(other, floor)}

    files = [kept(folder, recording, recipe, as_it_is)]
    with np.load(files[0]) as arrays:
        speech: NDArray[np.float32] = arrays["speech"]
    for number in range(1, features.versions + 1) if changes and len(speech) else ():
        changing = recipe + waveform.recipe(features.waveform) + bytes([number])
        files.append(kept(folder, recording, changing, partial(another, number)))
    return speech, files


def _frames(file: Path) -> Frames:
    with np.load(file) as arrays:
        frames: Frames = arrays["frames"]
    return frames
