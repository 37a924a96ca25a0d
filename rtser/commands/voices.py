"""The voices that commands are told of: a profile's file, or ``auto`` and where it is kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rtser.engine.model import Model
    from rtser.session import Session
    from rtser.settings import VoiceSettings
    from rtser.sinks import Sink
    from rtser.voice import LearningVoice, Voice

AUTO = "auto"


def auto_file(profile: str | None, model: Model) -> Path | None:
    """Where ``auto`` or ``auto:FILE`` is kept; None for another profile. By default each model has its own."""
    kind, _, path = (profile or "").partition(":")
    if kind != AUTO:
        return None
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return Path(path) if path else state / "rtser" / f"voice-{model.sha256[:8]}.json"


def stream_voice(settings: VoiceSettings, model: Model, learns: bool) -> Voice | LearningVoice | None:
    """The voice that the settings name.

    Args:
        settings: whose voice.
        model: that decides.
        learns: whether ``auto`` learns; else what it has learnt so far is used, if that is enough.

    Raises:
        InputError: the profile cannot be read, or was heard by another model.
    """
    from rtser.voice import LearningVoice, Voice

    if settings.profile is None:
        return None
    path = auto_file(settings.profile, model)
    if path is None:
        return Voice.load(settings.profile, settings.strength)
    known = replace(Voice.load(path, settings.auto_strength), name=AUTO) if path.exists() else None
    if learns:
        return LearningVoice(model, known, settings, AUTO)
    return known if known and known.profile.speech_s >= settings.auto_after_s else None


def voice_sinks(settings: VoiceSettings, session: Session, notify: Callable[[str], object]) -> list[Sink]:
    """What keeps a voice that is learnt; nothing for another."""
    from rtser.sinks.voice_file import VoiceFile
    from rtser.voice import LearningVoice

    path = auto_file(settings.profile, session.model)
    return [VoiceFile(path, session.voice, notify)] if path and isinstance(session.voice, LearningVoice) else []
