"""What a learning voice has heard, kept in a file from run to run."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from rtser.errors import OutputError
from rtser.events import Event, UtteranceEvent
from rtser.voice import LearningVoice

SAVED_AGAIN_S = 30.0
"""Seconds of new speech after which the file is written again."""
logger = logging.getLogger(__name__)


class VoiceFile:
    """Saves a voice now and then, and at the end (a sink). If its file is deleted, the voice forgets.

    Args:
        path: the file.
        voice: the voice to save.
        notify: called once with a sentence about a failure.
    """

    kinds = UtteranceEvent

    def __init__(self, path: Path, voice: LearningVoice, notify: Callable[[str], object]) -> None:
        self._path, self._voice, self._notify = path, voice, notify
        self._kept, self._saved_s, self._failed = path.exists(), voice.speech_s, False

    def write(self, event: Event) -> None:
        """Save the voice if it has enough new speech. After a failure, warn once and try again."""
        if not isinstance(event, UtteranceEvent) or not event.final:
            return
        if self._kept and not self._path.exists():
            self._voice.forget()
            self._kept, self._saved_s = False, 0.0
        if self._voice.speech_s - self._saved_s < SAVED_AGAIN_S:
            return
        try:
            self._save()
        except OutputError as error:
            if not self._failed:
                logger.warning("%s Recognition continues, and rtser tries to write again.", error)
                self._notify(error.problem)
            self._failed = True

    def close(self) -> None:
        """Save the new speech; raises OutputError if that fails."""
        if self._kept and not self._path.exists():
            return
        if self._voice.speech_s > self._saved_s:
            self._save()

    def _save(self) -> None:
        self._voice.voice.save(self._path, replace=True)
        self._kept, self._saved_s, self._failed = True, self._voice.speech_s, False
