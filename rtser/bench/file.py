"""`rtser bench file`: how many times faster than real time a recording is recognised."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from rtser.audio.file import AudioFile, sample_path
from rtser.audio.source import MemorySource
from rtser.bench.memory import peak_mib
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, Float32
from rtser.errors import InputError
from rtser.session import Session
from rtser.ui.lines import LineView

SAMPLE_MINUTES = 5.0


def measure(session: Session, path: Path | None, minutes: float | None) -> dict[str, object]:
    """Recognise a file as `rtser file` does, and throw its table away. The time includes decoding, but not loading.

    Args:
        session: keeps all times (``kept_times=None``).
        path: the file; None for the bundled sample.
        minutes: how much sound, with the file repeated; None for the file once, or 5 minutes of the bundled sample.

    Returns:
        ``times_real_time``, ``hop_ms`` (a hop in all), ``step_ms`` (p50, p99, max), ``memory_peak_mib`` of this
        process, and what was measured.

    Raises:
        InputError: the file cannot be read, or is too short to decide on.
    """
    if path is None and minutes is None:
        minutes = SAMPLE_MINUTES
    path = path or sample_path()
    began_s = time.perf_counter()
    with open(os.devnull, "w") as nowhere:
        view = LineView(Console(file=nowhere, highlight=False), session.model.labels)
        end = session.run(MemorySource(sound(path, minutes), str(path)), [view])
    took_s = time.perf_counter() - began_s
    peak = peak_mib()
    if not end.decisions:
        raise InputError(f"{path}: {end.time:.3f} s of sound is too short to decide (a segment lasts 0.335 s)")
    return {
        "source": str(path),
        "model": session.model.metadata.name,
        "provider": session.model.execution_provider,
        "seconds": round(end.time, 1),
        "decisions": end.decisions,
        "times_real_time": round(end.time / took_s, 1),
        "hop_ms": round(1000 * took_s / (end.time * SAMPLE_RATE / HOP_SAMPLES), 4),
        "step_ms": end.step_ms,
        "memory_peak_mib": peak and round(peak, 1),
    }


def sound(path: Path, minutes: float | None) -> Iterator[Float32]:
    """Chunks (n,) of a file, float32 at 16 kHz: once, or over and over until there are so many minutes of sound."""
    left = None if minutes is None else round(minutes * 60 * SAMPLE_RATE)
    while left is None or left > 0:
        count = 0
        with AudioFile(path) as audio:
            for chunk in audio.chunks():
                count += len(chunk)
                yield chunk if left is None else chunk[: max(0, left)]
                left = None if left is None else left - len(chunk)
                if left is not None and left <= 0:
                    return
        if left is None or not count:
            return
