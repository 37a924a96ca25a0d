"""The last minute of a run, sound and events, written into files on request."""

from __future__ import annotations

import io
import threading
import time
from collections import deque
from pathlib import Path

import numpy as np
import soundfile

from rtser.engine.contract import SAMPLE_RATE, Float32
from rtser.errors import OutputError, reason_of
from rtser.events import Event, StartEvent, UtteranceEvent, utc_now
from rtser.files import replacing

KEPT_S = 60.0


class LastMinute:
    """Keeps the last minute, events and sound, and writes it as ``rtser-DATE-TIME.jsonl`` and ``.flac``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start: tuple[str, Event] | None = None
        self._events: deque[tuple[float, str, Event]] = deque()
        self._blocks: deque[tuple[int, Float32]] = deque()

    def write(self, event: Event) -> None:
        """Keep an event, and forget events that are older than a minute."""
        with self._lock:
            if isinstance(event, StartEvent):
                self._start = utc_now(), event
                self._events.clear()
                self._blocks.clear()
                return
            time_s = event.end if isinstance(event, UtteranceEvent) else float(getattr(event, "time", 0.0))
            self._events.append((time_s, utc_now(), event))
            while time_s - self._events[0][0] > KEPT_S:
                self._events.popleft()

    def write_audio(self, samples: Float32, start: int) -> None:
        """Keep a block (n,) that begins at a sample of the run."""
        with self._lock:
            self._blocks.append((start, samples))
            while len(self._blocks) > 1 and start + len(samples) - self._blocks[0][0] > KEPT_S * SAMPLE_RATE:
                self._blocks.popleft()

    def close(self) -> None:
        """Do nothing; the sink holds nothing back."""

    def save(self, folder: Path) -> Path:
        """Write the last minute, and return the file of the events; the sound is beside it as ``.flac``.

        May be called from any thread. Missing sound leaves no gap in the sound file; the events report it.

        Raises:
            OutputError: nothing was heard, or it cannot be written; then no file is left.
        """
        with self._lock:
            start, events, blocks = self._start, list(self._events), list(self._blocks)
        if not blocks:
            raise OutputError("there is no sound to save yet")
        lines = [event.to_json(utc) for utc, event in [*([start] if start else []), *(one[1:] for one in events)]]
        sound = io.BytesIO()
        samples = np.concatenate([*(block for _, block in blocks), np.empty(0, np.float32)])
        try:
            soundfile.write(sound, samples, SAMPLE_RATE, subtype="PCM_24", format="FLAC")
        except (soundfile.SoundFileError, AssertionError) as error:  # the latter, without words, for NaN
            reason = str(error) or "not all of its samples are numbers"
            raise OutputError(f"the last minute cannot be written as FLAC ({reason})") from None
        stem = f"rtser-{time.strftime('%Y%m%d-%H%M%S')}"
        path = folder / f"{stem}.jsonl"
        try:
            if path.exists():
                path = folder / f"{stem}-{time.time_ns() // 1_000_000 % 1000:03d}.jsonl"
            with replacing(path) as part:
                part.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
                with replacing(path.with_suffix(".flac")) as sound_part:
                    sound_part.write_bytes(sound.getbuffer())
        except OSError as error:  # of `exists`, if the folder may not be searched
            raise OutputError(f"{path} cannot be written ({reason_of(error)})") from None
        return path

    def save_in(self, folder: Path) -> str:
        """As `save`; returns a sentence about the result."""
        try:
            path = self.save(folder)
        except OutputError as error:
            return str(error)
        return f"saved {path.with_suffix('.flac').name} .jsonl"
