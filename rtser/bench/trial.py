"""One trial of `rtser bench streams`: so many streams through one bank, paced in real time, on this thread.

Each stream begins at a random place of the sound and at a random time within a hop. Every `TICK_S` the driver pushes
what is due by the clock and steps the bank once; where a step takes longer, the next tick follows at once and finds
more streams due. A stream's pieces end where its hops end, so the last piece of a hop makes it due.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rtser.engine.contract import FIRST_SEGMENT_HOP, HOP_S, HOP_SAMPLES, LEAD_SAMPLES, Float32
from rtser.statistics import summary_ms

TICK_S = 0.01
WARM_UP_S = 2.0
LATE_MS = 60.0
MOST_CPU_PERCENT = 98.0
GIVE_UP_S = 1.0
"""A trial ends early where the streams are so far behind on average."""
FIRST_HOPS = FIRST_SEGMENT_HOP + 1
"""So many hops of a stream pass before its first decision; a trial begins after them."""


class ManyStreams(Protocol):
    """What a trial asks of a bank."""

    def open(self) -> int:
        """A new stream's id."""

    def push(self, stream: int, samples: Float32) -> object:
        """Take samples (n,) of a stream."""

    def step(self) -> Any:
        """One hop of every stream that has one; its ``streams`` are their ids. False if there are none."""


class Clock:
    """Time, as a trial sees it: seconds of the clock, seconds of CPU, and how to wait."""

    def now(self) -> float:
        """Seconds of the clock."""
        return time.perf_counter()

    def cpu(self) -> float:
        """Seconds of CPU that this process has taken."""
        return time.process_time()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Trial:
    """What a trial measured after its warm-up.

    Attributes:
        streams: how many there were.
        lateness_ms: p50, p99 and max, from the moment a hop's last sample is due until the step returned with it.
        cpu_percent: of one core.
        others_percent: of one core, that was neither used nor waited for: other programs had it.
        hop_us: CPU time in microseconds a stream and hop, the driver's own included.
        batch: mean number of streams in a step.
        behind: whether it was given up, because the streams fell ever further behind.
    """

    streams: int
    lateness_ms: dict[str, float | None]
    cpu_percent: float
    others_percent: float
    hop_us: float
    batch: float
    behind: bool

    @property
    def in_time(self) -> bool:
        """Whether the core carries so many streams."""
        p99 = self.lateness_ms["p99"]
        return not self.behind and p99 is not None and p99 <= LATE_MS and self.cpu_percent < MOST_CPU_PERCENT


class NoBank:
    """Takes samples and does nothing: what remains of a trial is the driver's own cost (a `ManyStreams`).

    Args:
        parts: pushes a hop.
    """

    def __init__(self, parts: int = 1) -> None:
        self._parts, self._opened, self._pushed = parts, 0, list[int]()

    def open(self) -> int:
        """A new id."""
        self._opened += 1
        return self._opened - 1

    def push(self, stream: int, samples: Float32) -> None:  # noqa: ARG002
        """Note it."""
        self._pushed.append(stream)

    def step(self) -> Pushed | None:
        """As many streams as hops were pushed since the last step; not the right ones."""
        pushed, self._pushed = self._pushed[:: self._parts], []
        return Pushed(pushed) if pushed else None


@dataclass(frozen=True)
class Pushed:
    """The streams of a `NoBank`'s step."""

    streams: list[int]


class Driver:
    """Feeds a bank.

    Args:
        bank: without streams yet.
        sound: whole hops, (n,), float32 at 16 kHz; taken over and over.
        streams: how many to open.
        parts: pushes a hop; divides 960.
        seed: of places and times.
    """

    def __init__(self, bank: ManyStreams, sound: Float32, streams: int, parts: int = 1, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self._bank, self._parts, self._part_s = bank, parts, HOP_S / parts
        self._pieces = list(sound.reshape(-1, HOP_SAMPLES // parts))
        self._places: list[int] = (rng.integers(len(sound) // HOP_SAMPLES, size=streams) * parts).tolist()
        self._phases: list[float] = np.sort(rng.uniform(0, self._part_s, streams)).tolist()
        self._ahead = rng.integers(parts, size=streams)
        self._ids = [bank.open() for _ in range(streams)]
        self._begin()

    def _begin(self) -> None:
        """Take every stream to its first decision, unpaced, and give it the pieces that lie ahead of its next hop."""
        lead = LEAD_SAMPLES  # it begins as if so many zeros had come
        for hop in range(FIRST_HOPS):
            for stream, place in zip(self._ids, self._places, strict=True):
                first = place + hop * self._parts
                pieces = [self._pieces[(first + part) % len(self._pieces)] for part in range(self._parts)]
                self._bank.push(stream, np.concatenate(pieces)[lead:])
            self._bank.step()
            lead = 0
        for row, ahead in enumerate(self._ahead.tolist()):
            self._places[row] += FIRST_HOPS * self._parts
            for part in range(ahead):
                self._bank.push(self._ids[row], self._pieces[(self._places[row] + part) % len(self._pieces)])
            self._places[row] += ahead

    def run(self, seconds: float, warm_up_s: float = WARM_UP_S, clock: Clock | None = None) -> Trial:
        """Pace the streams for so many seconds after a warm-up, and measure."""
        clock = clock or Clock()
        push, step = self._bank.push, self._bank.step
        ids, phases, places, pieces = self._ids, self._phases, self._places, self._pieces
        count, length, log = len(ids), len(pieces), list[tuple[float, Iterable[int]]]()
        row = rounds = done = 0
        behind, measured, slept_s = False, -1, 0.0
        began_s = clock.now()
        warm_s, end_s, due_s, cpu_s = (
            began_s + warm_up_s,
            began_s + warm_up_s + seconds,
            began_s + self._part_s,
            clock.cpu(),
        )
        while (now_s := clock.now()) < end_s and not behind:
            if measured < 0 and now_s >= warm_s:
                measured, warm_s, cpu_s, slept_s = len(log), now_s, clock.cpu(), 0.0
            while due_s + phases[row] <= now_s:
                push(ids[row], pieces[(places[row] + rounds) % length])
                row += 1
                if row == count:
                    row, rounds = 0, rounds + 1
                    due_s = began_s + (rounds + 1) * self._part_s
            result = step()
            if result:
                log.append((clock.now(), result.streams))
                done += len(result.streams)
            behind = (rounds / self._parts - done / count) * HOP_S > GIVE_UP_S
            if (early_s := now_s + TICK_S - (stepped_s := clock.now())) > 0:
                clock.sleep(early_s)
                slept_s += clock.now() - stepped_s
        if measured < 0:  # given up before the warm-up's end
            measured, warm_s = 0, began_s
        end_s, used_s = clock.now(), clock.cpu() - cpu_s
        hops = sum(len(list(streams)) for _, streams in log[measured:])
        lateness_s = self._lateness_s(log, began_s, warm_s, end_s)
        took_s, steps = end_s - warm_s, max(1, len(log) - measured)
        return Trial(
            streams=count,
            lateness_ms=summary_ms(lateness_s),
            cpu_percent=round(100 * used_s / took_s, 1),
            others_percent=round(100 * max(0.0, took_s - used_s - slept_s) / took_s, 1),
            hop_us=round(1e6 * used_s / max(1, hops), 1),
            batch=round(hops / steps, 1),
            behind=behind,
        )

    def _lateness_s(
        self, log: Sequence[tuple[float, Iterable[int]]], began_s: float, warm_s: float, end_s: float
    ) -> list[float]:
        """How late each hop was that was due in the measured time; those still to come count once they are late."""
        rows = {stream: row for row, stream in enumerate(self._ids)}
        due_s: NDArray[np.float64] = began_s + np.array(self._phases) + HOP_S - self._ahead * self._part_s
        late: list[float] = []
        for at_s, streams in log:
            which = [rows[stream] for stream in streams]
            late += (at_s - due_s[which])[due_s[which] >= warm_s].tolist()
            due_s[which] += HOP_S
        for first_s in due_s:
            waiting = end_s - np.arange(max(first_s, warm_s), end_s, HOP_S)
            late += waiting[waiting > LATE_MS / 1000].tolist()
        return late
