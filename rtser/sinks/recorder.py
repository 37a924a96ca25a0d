"""The sound around each utterance, as FLAC files in a folder that stays small."""

from __future__ import annotations

import io
import re
import time
from collections import deque
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile

from rtser.engine.contract import SAMPLE_RATE, Float32
from rtser.errors import OutputError
from rtser.events import Event, UtteranceEvent, utc_now
from rtser.summary import UNCERTAIN

BEFORE_S = 1.0
AFTER_S = 0.5
KEPT_S = 120.0
"""Sound that is held in memory. Of a longer utterance, only the end is recorded."""
PATTERN = "rtser-*.flac"


class Recorder:
    """Writes ``rtser-DATE-TIME-EMOTION.flac`` with its event beside it (``.json``) when an utterance has ended.

    Args:
        folder: made if it is missing.
        max_bytes: when its recordings exceed this, the oldest are deleted.

    Raises:
        OutputError: the folder cannot be written.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._blocks: deque[tuple[int, Float32]] = deque()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".rtser-probe"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise OutputError(
                f"--record {folder} cannot be written ({error.strerror})", "name another folder"
            ) from None

    def write_audio(self, samples: Float32, start: int) -> None:
        """Keep a block (n,) that begins at a sample of the run."""
        self._blocks.append((start, samples))
        while start + len(samples) - self._blocks[0][0] > KEPT_S * SAMPLE_RATE:
            self._blocks.popleft()

    def write(self, event: Event) -> None:
        """Record an utterance; other events are not recorded.

        Raises:
            OutputError: the recording cannot be written; no partial file is left.
        """
        if not isinstance(event, UtteranceEvent) or not event.final:
            return
        start = round((event.start - BEFORE_S) * SAMPLE_RATE)
        end = round((event.end + AFTER_S) * SAMPLE_RATE)
        cut = [block[max(0, start - at) : max(0, end - at)] for at, block in self._blocks]
        emotion = re.sub(r"[^\w-]", "_", event.label or UNCERTAIN)
        stamp = f"{time.strftime('%Y%m%d-%H%M%S')}-{event.start:.2f}s-{emotion}"
        path = self._folder / PATTERN.replace("*", stamp)
        event_path = path.with_suffix(".json")
        sound = io.BytesIO()  # encoded in memory, so that the system, and not the encoder, reports a full disk
        soundfile.write(
            sound, np.concatenate([*cut, np.empty(0, np.float32)]), SAMPLE_RATE, subtype="PCM_24", format="FLAC"
        )
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sound.getbuffer())
            event_path.write_text(event.to_json(utc_now()) + "\n", encoding="utf-8")
        except OSError as error:
            for half in (path, event_path):
                with suppress(OSError):
                    half.unlink(missing_ok=True)
            raise OutputError(f"{path} cannot be written ({error.strerror})") from None
        with suppress(OSError):  # other programs may delete them too
            self._make_room(path)

    def close(self) -> None:
        """Do nothing; the sink holds nothing back."""

    def _make_room(self, newest: Path) -> None:
        """Delete the oldest recordings until the rest fits; the newest always stays."""
        kept = 0
        for path in sorted(self._folder.glob(PATTERN), key=lambda path: path.stat().st_mtime_ns, reverse=True):
            event = path.with_suffix(".json")
            kept += path.stat().st_size + (event.stat().st_size if event.exists() else 0)
            if kept > self._max_bytes and path != newest:
                path.unlink()
                event.unlink(missing_ok=True)
