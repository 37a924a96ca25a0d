"""The sound around each utterance, as FLAC files in a folder that stays small."""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from pathlib import Path

import numpy as np
import soundfile

from rtser.audio.source import Break, Piece
from rtser.engine.features import SAMPLE_RATE, Float32
from rtser.errors import InputError
from rtser.events import Event, Spoken

BEFORE_S = 1.0
AFTER_S = 0.5
KEPT_S = 120.0
"""Sound that is held in memory; of a longer utterance the end is recorded."""
PATTERN = "rtser-*.flac"


class Recorder:
    """Writes ``rtser-DATE-TIME-EMOTION.flac`` with its event beside it (``.json``) when an utterance has ended.

    Args:
        folder: made where it is missing.
        max_bytes: when its recordings exceed this, the oldest are deleted.

    Raises:
        InputError: the folder cannot be written.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._blocks: deque[tuple[int, Float32]] = deque()
        self._heard = 0
        try:
            folder.mkdir(parents=True, exist_ok=True)
            probe = folder / ".rtser-probe"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise InputError(f"--record {folder} cannot be written ({error.strerror}); name another folder.") from None

    def hear(self, piece: Piece) -> None:
        """Keep a block (n,), or take note of a break."""
        if isinstance(piece, Break):
            self._heard += piece.missing_samples
            return
        self._blocks.append((self._heard, piece))
        self._heard += len(piece)
        while self._heard - self._blocks[0][0] > KEPT_S * SAMPLE_RATE:
            self._blocks.popleft()

    def write(self, event: Event) -> None:
        """Record an utterance; other events are not recorded."""
        if not isinstance(event, Spoken):
            return
        start = round((event.start - BEFORE_S) * SAMPLE_RATE)
        end = round((event.end + AFTER_S) * SAMPLE_RATE)
        cut = [block[max(0, start - at) : max(0, end - at)] for at, block in self._blocks]
        stamp = f"{time.strftime('%Y%m%d-%H%M%S')}-{event.start:.2f}s-{event.label or 'uncertain'}"
        path = self._folder / PATTERN.replace("*", stamp)
        event_path = path.with_suffix(".json")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, np.concatenate([*cut, np.empty(0, np.float32)]), SAMPLE_RATE, subtype="PCM_24")
            event_path.write_text(event.to_json() + "\n", encoding="utf-8")
        except (OSError, RuntimeError, AssertionError) as error:  # the last where fewer were written than asked for
            for half in (path, event_path):
                with suppress(OSError):
                    half.unlink(missing_ok=True)
            reason = getattr(error, "strerror", None) or str(error).rstrip(". ") or "is the disk full?"
            raise InputError(f"{path} cannot be written ({reason}).") from None
        with suppress(OSError):  # others may delete them too
            self._make_room(path)

    def close(self) -> None:
        """Nothing is held back."""

    def _make_room(self, newest: Path) -> None:
        """Delete the oldest recordings until the others fit; the newest stays."""
        kept = 0
        for path in sorted(self._folder.glob(PATTERN), key=lambda path: path.stat().st_mtime_ns, reverse=True):
            event = path.with_suffix(".json")
            kept += path.stat().st_size + (event.stat().st_size if event.exists() else 0)
            if kept > self._max_bytes and path != newest:
                path.unlink()
                event.unlink(missing_ok=True)
