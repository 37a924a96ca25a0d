"""`rtser bench live`: how late decisions come, and what they cost, paced in real time."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import deque
from itertools import cycle

from rtser.audio.file import read_audio, sample_path
from rtser.audio.microphone import BLOCK_S, MicrophoneOpener
from rtser.audio.ring import Ring
from rtser.audio.source import LiveSource
from rtser.audio.supervisor import Opener, Supervisor
from rtser.commands.process import complain
from rtser.engine.features import SAMPLE_RATE
from rtser.recogniser import Recogniser
from rtser.sinks import Sink
from rtser.sinks.jsonl import JsonLines
from rtser.statistics import summary_ms

WARM_UP_S = 2.0


class PacedSample:
    """The bundled sample over and over, delivered when a microphone would (a `rtser.audio.source.LiveSource`)."""

    name = "the bundled sample, paced"
    sample_rate = SAMPLE_RATE
    channels = 1
    ended = False

    def __init__(self, _lost: LiveSource | None = None) -> None:
        self.ring = Ring(10 * SAMPLE_RATE, self.channels)
        self._news, self._closed = threading.Event(), threading.Event()
        self._samples = read_audio(sample_path())[:, None]
        threading.Thread(target=self._deliver, daemon=True).start()

    def wait(self, timeout_s: float) -> None:
        """Return once there is new sound in the ring, or after so many seconds."""
        self._news.wait(timeout_s)
        self._news.clear()

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
            self._news.set()


def live(
    recogniser: Recogniser, seconds: float, device: str | None, stop: threading.Event, view: Sink | None = None
) -> dict[str, object]:
    """Recognise for so many seconds, events thrown away as JSON, and measure.

    Args:
        recogniser: fresh.
        seconds: how long, after two seconds to warm up.
        device: a real device; None for the paced sample.
        stop: ends it early.
        view: also takes the events, if named.

    Returns:
        ``latency_ms`` and ``step_ms`` (p50, p99, max), ``cpu_percent`` of one core, ``memory_mib`` (resident, and how
        much it grew in the second half), ``dropped_samples``, and what was measured.
    """
    settings = recogniser.settings
    opener: Opener = PacedSample if device is None else MicrophoneOpener(device, None, settings.source.ring_s)
    vitals = recogniser.vitals
    vitals.steps_s, vitals.latencies_s = deque(), deque()  # all of them, not only the last
    began_s = warm_s = time.monotonic()
    cpu_s, half_mib, warm = time.process_time(), None, False
    ending = threading.Timer(
        WARM_UP_S + seconds, stop.set
    )  # a device without sound brings no event to look at the clock
    ending.daemon = True
    ending.start()
    with Supervisor(opener, settings.source, vitals, stop) as supervisor, open(os.devnull, "w") as nowhere:
        out, source = JsonLines(nowhere), supervisor.source
        pieces = supervisor.pieces()
        for event in recogniser.events(pieces, source.name, source.sample_rate, supervisor.lag_s):
            out.write(event)
            if view:
                view.write(event)
            now_s = time.monotonic()
            if not warm and now_s - began_s > WARM_UP_S:
                warm, warm_s, cpu_s = True, now_s, time.process_time()
                vitals.steps_s.clear()
                vitals.latencies_s.clear()
            if half_mib is None and now_s - began_s > WARM_UP_S + seconds / 2:
                half_mib = resident_mib()
        took_s = time.monotonic() - warm_s
        return {
            "source": source.name,
            "model": recogniser.model.metadata.name,
            "provider": recogniser.model.provider,
            "seconds": round(took_s, 1),
            "decisions": len(vitals.steps_s),
            "latency_ms": summary_ms(vitals.latencies_s),
            "step_ms": summary_ms(vitals.steps_s),
            "cpu_percent": round(100 * (time.process_time() - cpu_s) / took_s, 2),
            "memory_mib": {
                "resident": _rounded(resident_mib()),
                "grown": _rounded(_difference(resident_mib(), half_mib)),
            },
            "dropped_samples": vitals.dropped_samples,
        }


def _difference(later: float | None, earlier: float | None) -> float | None:
    return None if later is None or earlier is None else later - earlier


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def resident_mib() -> float | None:
    """Memory that this process holds now, in MiB; None where the system does not tell."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return None


def tell(figures: dict[str, object], as_json: bool) -> None:
    """Print what `live` measured."""
    if as_json:
        print(json.dumps(figures))
        return
    for name, value in figures.items():
        unit = "ms" if name.endswith("_ms") else "%" if name.endswith("_percent") else ""
        shown = ", ".join(f"{key} {one}" for key, one in value.items()) if isinstance(value, dict) else value
        print(f"{name.removesuffix('_ms').removesuffix('_percent'):<16} {shown} {unit}".rstrip())
    if not figures["decisions"]:
        complain("no decision was made in this time.")
    sys.stdout.flush()
