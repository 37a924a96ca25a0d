"""Everything a command recognises with: a model, a stream, a decider, and the run's figures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from rtser.audio.file import AudioFile
from rtser.audio.source import Piece
from rtser.engine.decider import Decider
from rtser.engine.model import Model
from rtser.engine.stream import Stream
from rtser.errors import InputError
from rtser.events import Event
from rtser.session import paced, recognise
from rtser.settings import ListenSettings
from rtser.statistics import Vitals


class Recogniser:
    """Recognises one source after another, as the settings say.

    Raises:
        RtserError: the model or its provider cannot be had.
    """

    def __init__(self, settings: ListenSettings) -> None:
        self.settings = settings
        self.model = Model(settings.model, settings.provider)
        self.vitals = Vitals()
        self._stream = Stream(self.model, settings.window_s)
        self._decider = Decider(self.model.metadata.min_confidence, settings.decide)

    @property
    def window(self) -> int:
        """Over how many segments is decided."""
        return self._stream.window

    def events(
        self, pieces: Iterable[Piece], source: str, sample_rate: int, lag_s: Callable[[], float] | None = None
    ) -> Iterator[Event]:
        """All events of one source; see `rtser.session.recognise`."""
        return recognise(pieces, self._stream, self._decider, source, sample_rate, self.vitals, lag_s)

    def hear_file(
        self, path: Path, speed: float, write: Callable[[Event], None], stop: threading.Event, name: str | None = None
    ) -> None:
        """Recognise a file, at so many times real time (0: do not wait), and write its events.

        Raises:
            InputError: it cannot be read to its end, or is too short.
        """
        decided = False
        with AudioFile(path, self.settings.channel) as audio:
            for event in self.events(paced(audio.blocks(), speed, stop), name or str(path), audio.sample_rate):
                write(event)
                decided |= event.type == "decision"
        if not decided and not stop.is_set():
            seconds = self._stream.time_s
            raise InputError(f"{path}: {seconds:.3f} s of sound is too short to decide; a segment lasts 0.335 s.")
