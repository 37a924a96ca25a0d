"""Enrol a voice: hear some of a person's normal speech, and keep how it differs from the average voice."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from rtser.audio.pcm import Sound
from rtser.engine.model import Model
from rtser.errors import InputError
from rtser.models import load
from rtser.recognition import recognise
from rtser.settings import VoiceSettings
from rtser.voice import DEFAULTS, LearningVoice, Voice

LEAST_S = 5.0
"""The least speech for a voice, in seconds; 20 are better."""
UNCHANGED = VoiceSettings(auto_strength=0, auto_hours=10_000)
"""Settings while a voice is enrolled: nothing is shifted and nothing fades."""


def enrol(
    sound: str | os.PathLike[str] | tuple[Sound, int],
    model: Model | str | os.PathLike[str] | None = None,
    *,
    channel: int | None = None,
    name: str | None = None,
) -> Voice:
    """Hear one person's normal, neutral speech: 20 seconds or more, pauses left out.

    Examples:
        >>> import rtser
        >>> voice = rtser.enrol(rtser.sample_path())
        >>> voice.name, voice.profile.speech_s > 5
        ('demo', True)

    Args:
        sound: an audio file, or a pair of samples and their rate in Hz, as for `rtser.recognise`.
        model: from `rtser.load`, or a model file; None for the shipped one. The voice belongs to this model.
        channel: which channel to use, counted from 0; None for the mean of all.
        name: of the voice, in the events; None for the file's own.

    Raises:
        InputError: the file cannot be read, or holds less than 5 s of speech.
        ArgumentError: an argument is of the wrong type or out of range, or the model does not know the average voice.
        ModelError: the model file cannot be used.
    """
    loaded = model if isinstance(model, Model) else load(model)
    learner = LearningVoice(loaded, settings=UNCHANGED)
    recognise(sound, loaded, channel=channel, voice=learner)
    return enrolled(learner, name or ("voice" if isinstance(sound, tuple) else Path(sound).stem))


def enrolled(learner: LearningVoice, name: str) -> Voice:
    """The voice that was heard; raises InputError if that was too little."""
    if learner.speech_s < LEAST_S:
        raise InputError(
            f"{learner.speech_s:.1f} s of speech were heard, and a voice needs {LEAST_S:g}", "speak for longer"
        )
    return replace(learner.voice, name=name, strength=DEFAULTS.strength)
