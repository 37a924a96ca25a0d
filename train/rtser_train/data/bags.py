"""Bags: an utterance's log-Mel frames and how much speech each of its segments holds.

Extracted once by the front-end that the export holds (`front_end`), and kept in a cache addressed by the
content of the audio file and the front-end.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed
from numpy.typing import NDArray

from rtser.audio.file import read_audio
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, SEGMENT_SAMPLES, segment_count
from rtser.errors import InputError
from rtser_train.data.cache import CACHE, Arrays, cached
from rtser_train.data.corpora import Recording
from rtser_train.data.pools import one_thread
from rtser_train.files import written_ns
from rtser_train.front_end import fingerprint, log_mel
from rtser_train.memo import last_of_each_thread

VAD_WINDOW_SAMPLES = 512
BAGS = CACHE / "bags"


@dataclass(frozen=True)
class Bag:
    """One utterance, ready for training.

    Attributes:
        recording: where it comes from.
        label: class index of its emotion; -1 for a recording without speech.
        frames: log-Mel, (2 + 6 h, 64), float32.
        speech: share of speech in each segment, (S,), float32, 0..1.
    """

    recording: Recording
    label: int
    frames: NDArray[np.float32]
    speech: NDArray[np.float32]

    @property
    def segments(self) -> int:
        """S, the number of segments."""
        return len(self.speech)


def load_bags(labelled: Iterable[tuple[Recording, int]], jobs: int, folder: Path = BAGS) -> Iterator[Bag | None]:
    """Extract, or read from the cache, one bag a recording, in order.

    Args:
        labelled: recordings with their class indices.
        jobs: processes at the same time; -1 for one a core. With 1 all is done in this thread: in a Dask worker joblib
            would hand the thread's place to another task, and this one could wait for it for ever.
        folder: the cache.

    Yields:
        the bag, or None for a recording shorter than one segment.
    """
    pairs = list(labelled)
    arrays: Iterable[tuple[NDArray[np.float32], NDArray[np.float32]]]
    if jobs == 1:
        arrays = (_arrays(recording, folder) for recording, _ in pairs)
    else:
        calls = (delayed(_arrays)(recording, folder) for recording, _ in pairs)
        arrays = Parallel(n_jobs=jobs, return_as="generator")(calls)
    for (recording, label), (frames, speech) in zip(pairs, arrays, strict=True):
        yield Bag(recording, label, frames, speech) if len(speech) else None


def read_samples(recording: Recording) -> NDArray[np.float32]:
    """A recording's samples, (n,), float32, 16 kHz: its file, or the part of it that it is.

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
def _samples(path: Path, written_ns: int) -> NDArray[np.float32]:  # noqa: ARG001  # a file written anew is another
    """The samples of the last file asked for: the utterances of a long recording follow one another."""
    return read_audio(path)


def speech_share(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Share of speech in each segment, (S,), by the Silero voice activity detector.

    Mean of the detector's probabilities over the 32 ms windows whose centres lie in the segment.
    """
    import torch

    with torch.no_grad(), one_thread():
        windows = _detector().audio_forward(torch.from_numpy(samples)[None], SAMPLE_RATE)[0].numpy()
    centres = np.arange(len(windows)) * VAD_WINDOW_SAMPLES + VAD_WINDOW_SAMPLES // 2
    starts = np.arange(segment_count(len(samples))) * HOP_SAMPLES
    first, last = np.searchsorted(centres, starts), np.searchsorted(centres, starts + SEGMENT_SAMPLES)
    sums = np.concatenate([[0.0], np.cumsum(windows, dtype=np.float64)])
    share: NDArray[np.float32] = ((sums[last] - sums[first]) / (last - first)).astype(np.float32)
    return share


@last_of_each_thread
def _detector() -> Any:
    """The detector, which keeps state while it runs: one for each thread."""
    from silero_vad import load_silero_vad

    return load_silero_vad()


@cache
def _recipe() -> bytes:
    return json.dumps([fingerprint(), version("silero-vad")], sort_keys=True).encode()


def _arrays(recording: Recording, folder: Path) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    spoken = recording.emotion is not None

    def make() -> Arrays:
        samples = read_samples(recording)
        share = speech_share(samples) if spoken else np.zeros(segment_count(len(samples)), np.float32)
        with one_thread():
            return {"frames": log_mel(samples), "speech": share}

    arrays = cached(folder, recording, _recipe() + bytes([spoken]), make)
    return arrays["frames"], arrays["speech"]
