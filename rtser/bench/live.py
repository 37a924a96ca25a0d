"""`rtser bench live`: how late decisions come, and what they cost, paced in real time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from itertools import cycle

from rtser.audio.file import read_audio, sample_path
from rtser.audio.microphone import BLOCK_S, MicrophoneOpener
from rtser.audio.ring import Ring
from rtser.audio.source import CaptureDevice
from rtser.audio.supervisor import Opener, Supervisor
from rtser.bench.memory import resident_mib
from rtser.engine.contract import SAMPLE_RATE
from rtser.events import Event
from rtser.session import Session
from rtser.settings import SourceSettings
from rtser.sinks import Sink
from rtser.sinks.jsonl import JsonLines

WARM_UP_S = 2.0


class PacedSample:
    """The bundled sample over and over, delivered when a microphone would (a `CaptureDevice`)."""

    name = "the bundled sample, paced"
    sample_rate = SAMPLE_RATE
    channels = 1
    ended = False

    def __init__(self, _lost: CaptureDevice | None = None) -> None:
        self.ring = Ring(10 * SAMPLE_RATE, self.channels)
        self._new_sound, self._closed = threading.Event(), threading.Event()
        self._samples = read_audio(sample_path())[:, None]
        threading.Thread(target=self._deliver, daemon=True).start()

    def wait(self, timeout_s: float) -> None:
        """Return once there is new sound in the ring, or after so many seconds."""
        self._new_sound.wait(timeout_s)
        self._new_sound.clear()

    def close(self) -> None:
        """Deliver no more."""
        self._closed.set()

    def _deliver(self) -> None:
        block = round(BLOCK_S * SAMPLE_RATE)
        began_s = time.monotonic()
        for at in cycle(range(0, len(self._samples) - block, block)):
            due_s = began_s + (self.ring.written + block) / SAMPLE_RATE
            if self._closed.wait(max(0.0, due_s - time.monotonic())):
                return
            self.ring.write(self._samples[at : at + block])
            self._new_sound.set()


class Meter:
    """Notes what a run costs from the end of its warm-up on (a `Sink`).

    Args:
        session: whose run is measured.
        seconds: how long is measured.
    """

    def __init__(self, session: Session, seconds: float) -> None:
        self._session, self._seconds = session, seconds
        self._began_s = self._warm_s = time.monotonic()
        self._cpu_s = time.process_time()
        self._warm = False
        self._half_mib: float | None = None

    def write(self, _event: Event) -> None:
        """Look at the clock."""
        now_s = time.monotonic()
        if not self._warm and now_s - self._began_s > WARM_UP_S:
            self._warm, self._warm_s, self._cpu_s = True, now_s, time.process_time()
            self._session.statistics.forget_times()
        if self._half_mib is None and now_s - self._began_s > WARM_UP_S + self._seconds / 2:
            self._half_mib = resident_mib()

    def close(self) -> None:
        """Do nothing; the sink holds nothing back."""

    def figures(self) -> dict[str, object]:
        """What was measured until now."""
        took_s, statistics = time.monotonic() - self._warm_s, self._session.statistics
        memory_mib = resident_mib()
        grown = None if memory_mib is None or self._half_mib is None else memory_mib - self._half_mib
        return {
            "model": self._session.model.metadata.name,
            "provider": self._session.model.execution_provider,
            "seconds": round(took_s, 1),
            "decisions": statistics.timed_decisions,
            "latency_ms": statistics.latency_ms(),
            "step_ms": statistics.step_ms(),
            "cpu_percent": round(100 * (time.process_time() - self._cpu_s) / took_s, 2),
            "memory_mib": {"resident": _rounded(memory_mib), "grown": _rounded(grown)},
            "dropped_samples": statistics.dropped_samples,
        }


def measure(
    session: Session, seconds: float, device: str | None, stop: threading.Event, sinks: Sequence[Sink] = ()
) -> dict[str, object]:
    """Recognise for so many seconds, events thrown away as JSON, and measure.

    Args:
        session: keeps all times (``kept_times=None``).
        seconds: how long, after two seconds to warm up.
        device: a real device; None for the paced sample.
        stop: ends it early.
        sinks: also take the events.

    Returns:
        ``latency_ms`` and ``step_ms`` (p50, p99, max), ``cpu_percent`` of one core, ``memory_mib`` (resident, and how
        much it grew in the second half), ``dropped_samples``, and what was measured.
    """
    settings = SourceSettings()
    opener: Opener = PacedSample if device is None else MicrophoneOpener(device, None, settings.ring_s)
    # A timer, because a device without sound brings no event at which to look at the clock.
    ending = threading.Timer(WARM_UP_S + seconds, stop.set)
    ending.daemon = True
    ending.start()
    with Supervisor(opener, settings, stop) as source, open(os.devnull, "w") as nowhere:
        meter = Meter(session, seconds)
        session.run(source, [JsonLines(nowhere), *sinks, meter])
        return {"source": source.name} | meter.figures()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
