"""Recognise emotion in speech as it is spoken.

>>> import rtser
>>> result = rtser.recognise(rtser.sample_path())  # a file, or (samples, rate)
>>> result.utterances[0].start < result.utterances[0].end
True
>>> stream = rtser.Stream(rtser.load(), sample_rate=48_000)
>>> stream.push(bytes(9_600))  # PCM as it comes: an event for each decision and utterance
[]

`listen` gives a microphone's events, `Bank` holds many streams. What is exported here keeps its name and meaning. Until
version 1.0 a change is announced one minor version ahead, in CHANGELOG.md, and by a DeprecationWarning where possible.
Everything else is internal.
"""

from __future__ import annotations

import typing as _typing

if _typing.TYPE_CHECKING:
    from rtser.audio.file import sample_path
    from rtser.engine.bank import Bank, Decisions
    from rtser.engine.decider import DecideSettings, Reading
    from rtser.engine.decision import Decision, Leaning, Utterance
    from rtser.engine.model import Model
    from rtser.enrolment import enrol
    from rtser.errors import (
        ArgumentError,
        DeviceError,
        InputError,
        ModelError,
        OutputError,
        ProviderError,
        RtserError,
        SettingsError,
        UnavailableError,
    )
    from rtser.events import (
        DecisionEvent,
        EndEvent,
        ErrorEvent,
        Event,
        SettingsEvent,
        SourceEvent,
        StartEvent,
        UtteranceEvent,
    )
    from rtser.listening import listen
    from rtser.models import load
    from rtser.recognition import Recognition, recognise
    from rtser.settings import ListenSettings, SourceSettings, VoiceSettings
    from rtser.stream import Stream
    from rtser.voice import LearningVoice, Voice

    __version__: str

_HOMES = {
    "audio.file": "sample_path",
    "engine.bank": "Bank Decisions",
    "engine.decider": "DecideSettings Reading",
    "engine.decision": "Decision Leaning Utterance",
    "engine.model": "Model",
    "enrolment": "enrol",
    "errors": "ArgumentError DeviceError InputError ModelError OutputError ProviderError RtserError SettingsError "
    "UnavailableError",
    "events": "DecisionEvent EndEvent ErrorEvent Event SettingsEvent SourceEvent StartEvent UtteranceEvent",
    "listening": "listen",
    "models": "load",
    "recognition": "Recognition recognise",
    "settings": "ListenSettings SourceSettings VoiceSettings",
    "stream": "Stream",
    "voice": "LearningVoice Voice",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}
__all__ = [
    "ArgumentError",
    "Bank",
    "DecideSettings",
    "Decision",
    "DecisionEvent",
    "Decisions",
    "DeviceError",
    "EndEvent",
    "ErrorEvent",
    "Event",
    "InputError",
    "Leaning",
    "LearningVoice",
    "ListenSettings",
    "Model",
    "ModelError",
    "OutputError",
    "ProviderError",
    "Reading",
    "Recognition",
    "RtserError",
    "SettingsError",
    "SettingsEvent",
    "SourceEvent",
    "SourceSettings",
    "StartEvent",
    "Stream",
    "UnavailableError",
    "Utterance",
    "UtteranceEvent",
    "Voice",
    "VoiceSettings",
    "enrol",
    "listen",
    "load",
    "recognise",
    "sample_path",
]


def __getattr__(name: str) -> _typing.Any:
    """Import a public name on first use: ``import rtser`` alone stays quick. Reading the version takes most of it."""
    if name == "__version__":
        from rtser.versions import installed_version

        return installed_version("rtser") or "0.0.0"  # a bare checkout has none
    if name in _HOME:
        from importlib import import_module

        return getattr(import_module(f"rtser.{_HOME[name]}"), name)
    raise AttributeError(f"module 'rtser' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, also those that are not imported yet."""
    return sorted({*globals(), *__all__, "__version__"})
