"""Run the whole chain of `rtser listen` for days on a virtual clock: device, ring, supervisor, session, logs.

    python tools/soak.py [--days 7] [--losses 0.5] [--start 2147467648] [--json]

A tiny model decides. The sound alternates between loud and silent; every two days the source is lost and opened again.
The ring's counters begin at --start, just under 2**31, and pass 2**32 on the second day. Prints the actual and the
expected number of decisions, and the growth of the memory. Exits with 1 if the count is wrong or the memory grows by a
MiB a day; a run of less than a day does not check the memory.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from rtser.audio.supervisor import Supervisor
from rtser.bench.memory import resident_mib
from rtser.engine.contract import HOP_SAMPLES, SAMPLE_RATE, segment_count
from rtser.events import Event
from rtser.session import Session
from rtser.settings import OutputSettings, SourceSettings
from rtser.sinks import closing
from rtser.sinks.build import build_sinks
from rtser.testing import VirtualClock, VirtualDevice, tiny_model

DAY_S = 86_400
SOUND_S = 30
MOST_GROWTH_MIB = 1.0


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=float, default=7.0)
    parser.add_argument("--losses", type=float, default=0.5, help="losses of the source per day")
    parser.add_argument("--start", type=int, default=2**31 - SAMPLE_RATE, help="first value of the ring's counters")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args()
    began_s = time.monotonic()
    figures = soak(options.days, options.losses, options.start)
    figures["took_s"] = round(time.monotonic() - began_s)
    print(json.dumps(figures) if options.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))
    wrong = figures["decisions"] != figures["expected_decisions"] or figures["dropped_samples"]
    sys.exit(int(bool(wrong or figures["growth_mib_a_day"] > MOST_GROWTH_MIB)))


def soak(days: float, losses: float, start: int) -> dict[str, float]:
    """Run for `days` virtual days; see the module's docstring."""
    noise = np.random.default_rng(0).normal(0, 0.1, SOUND_S * SAMPLE_RATE)
    swell = np.sin(np.pi * np.arange(len(noise)) / (5 * SAMPLE_RATE)) ** 4
    sound = (noise * swell).astype(np.float32)[: len(noise) // HOP_SAMPLES * HOP_SAMPLES]
    clock, stop = VirtualClock(), threading.Event()
    opened: list[VirtualDevice] = []

    def open_device(_lost: object) -> VirtualDevice:
        opened.append(VirtualDevice(sound, clock, start, DAY_S / losses if losses else None))
        return opened[-1]

    class Memory:
        """Notes the memory every hour, and ends the run (a `Sink`)."""

        def write(self, _event: Event) -> None:
            if clock.now_s >= 3600 * (hours[-1] + 1):
                hours.append(clock.now_s / 3600)
                memory_mib.append(resident_mib() or 0.0)
            if clock.now_s >= days * DAY_S:
                stop.set()

        def close(self) -> None:
            pass

    session = Session(tiny_model())
    hours, memory_mib = [0.0], [resident_mib() or 0.0]
    with tempfile.TemporaryDirectory() as folder:
        outputs = OutputSettings(jsonl=Path(folder) / "a.jsonl", csv=Path(folder) / "a.csv", log_max_mb=1, log_keep=1)
        logs, audio_sinks = build_sinks(outputs, session.model.labels, threading.Event(), session.notify)
        sinks = [*logs, Memory()]
        with closing(sinks), Supervisor(open_device, SourceSettings(retry_min_s=0.01), stop, clock=clock) as source:
            end = session.run(source, sinks, audio_sinks)
    settled = len(hours) // 7  # caches fill at the beginning
    growth = np.polyfit(hours[settled:], memory_mib[settled:], 1)[0] * 24 if len(hours) > DAY_S // 3600 else 0.0
    return {
        "days": round(clock.now_s / DAY_S, 3),
        "decisions": end.decisions,
        "expected_decisions": sum(segment_count(device.delivered) for device in opened),
        "losses": len(opened) - 1,
        "missing_samples": end.missing_samples,
        "dropped_samples": end.dropped_samples,
        "ring_counter": opened[-1].ring.written,
        "timed_decisions": session.statistics.timed_decisions,
        "memory_mib": round(memory_mib[-1], 2),
        "growth_mib_a_day": round(float(growth), 3),
    }


if __name__ == "__main__":
    main()
