"""The voices that a command can be given: the file of a profile, or ``auto`` with a file that it is kept in."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from rtser.errors import OutputError, reason_of

if TYPE_CHECKING:
    from rtser.engine.model import Model
    from rtser.session import Session
    from rtser.settings import VoiceSettings
    from rtser.sinks import Sink
    from rtser.voice import LearningVoice, Voice

AUTO = "auto"


def auto_file(profile: str | None, model: Model) -> Path | None:
    """The file of ``auto`` or ``auto:FILE``; None for another profile. By default each model has its own file."""
    kind, _, path = (profile or "").partition(":")
    if kind != AUTO:
        return None
    state = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return Path(path) if path else state / "rtser" / f"voice-{model.sha256[:8]}.json"


def stream_voice(settings: VoiceSettings, model: Model, learns: bool) -> Voice | LearningVoice | None:
    """The voice that the settings name.

    Args:
        settings: name the voice.
        model: the model that decides.
        learns: whether ``auto`` learns; if not, it uses what it has learnt so far, if that is enough.

    Raises:
        InputError: the profile cannot be read, or was made with another model.
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
    """The sinks that save a voice that is learnt; empty for any other voice.

    Raises:
        OutputError: the file of the voice cannot be written.
    """
    from rtser.sinks.voice_file import VoiceFile
    from rtser.voice import LearningVoice

    path = auto_file(settings.profile, session.model)
    if path is None or not isinstance(session.voice, LearningVoice):
        return []
    _check_writable(path)
    return [VoiceFile(path, session.voice, notify)]


def _check_writable(path: Path) -> None:
    """Raise OutputError now, and not after the first speech, if a profile cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        problem = f"{path} cannot be written ({reason_of(error)})"
        raise OutputError(problem, "name another file: --voice auto:FILE") from None
