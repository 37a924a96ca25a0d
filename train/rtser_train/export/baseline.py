"""The average voice: the outputs of an exported model for neutral speech of speakers that it was not trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from rtser.audio.source import MemorySource
from rtser.engine.contract import METADATA_KEY, Float32, Metadata
from rtser.engine.model import Model
from rtser.enrolment import UNCHANGED
from rtser.models import load_bytes
from rtser.session import Session
from rtser.voice import LearningVoice
from rtser_train.data.bags import read_samples
from rtser_train.data.corpora import UNKNOWN_SPEAKER, Recording

Float64 = NDArray[np.float64]


def with_baseline(
    content: bytes, neutral: Sequence[Recording], read: Callable[[Recording], Float32] = read_samples
) -> bytes:
    """A model file with the metadata `baseline`, measured on some recordings.

    Without speech of a named speaker the file stays as it is.

    Args:
        content: the content of the model file.
        neutral: neutral speech of validation speakers.
        read: the samples of a recording (n,), float32, 16 kHz.

    Raises:
        InputError: a recording cannot be read.
    """
    model = load_bytes(content, provider="cpu")
    average = baseline(model, neutral, read)
    if average is None:
        return content
    values = tuple(round(value, 4) for value in average.tolist())
    metadata = Metadata.model_validate(model.metadata.model_dump() | {"baseline": values})
    parsed = onnx.load_from_string(content)
    onnx.helper.set_model_props(parsed, {METADATA_KEY: metadata.to_json()})
    changed: bytes = parsed.SerializeToString()
    return changed


def baseline(
    model: Model, neutral: Sequence[Recording], read: Callable[[Recording], Float32] = read_samples
) -> Float64 | None:
    """log(emotions) of the average voice speaking neutrally, (K,): what enrolment finds, averaged over the speakers.

    All corpora weigh the same, and so do all speakers of a corpus; so a corpus of many speakers does not dominate. None
    if no recording holds speech of a speaker with a name.
    Arguments and errors: those of `with_baseline`.
    """
    corpora: dict[str, list[Float64]] = {}
    for group in sorted({one.group for one in neutral if one.speaker != UNKNOWN_SPEAKER}):
        own = [one for one in neutral if one.group == group]
        voice = neutral_voice(model, [read(one) for one in own])
        if voice.speech_s:
            corpora.setdefault(own[0].corpus, []).append(np.array(voice.voice.profile.mean_log_emotions))
    if not corpora:
        return None
    average: Float64 = np.mean([np.mean(voices, axis=0) for voices in corpora.values()], axis=0)
    return average


def neutral_voice(model: Model, recordings: Sequence[Float32]) -> LearningVoice:
    """The voice learnt from some recordings of one speaker, (n,) each, as by `rtser enrol`."""
    learner = LearningVoice(model, settings=UNCHANGED)
    session = Session(model, voice=learner)
    for samples in recordings:
        session.run(MemorySource([samples]), [])
    return learner
