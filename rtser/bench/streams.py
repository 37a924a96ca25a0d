"""`rtser bench streams`: how many streams this core can carry in real time, and what one of them costs."""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from rtser.bench.memory import resident_mib
from rtser.bench.null_network import without_network
from rtser.bench.search import largest
from rtser.bench.sounds import read_sound
from rtser.bench.trial import FIRST_HOPS, LATE_MS, WARM_UP_S, Driver, ManyStreams, NoBank, Trial
from rtser.engine.bank import Bank
from rtser.engine.contract import HOP_SAMPLES, Float32
from rtser.engine.model import Model
from rtser.errors import InputError
from rtser.models import read_model
from rtser.models.providers import open_session

FIRST_STREAMS = 32
MOST_STREAMS = 4096
FEW_STREAMS, FURTHER_STREAMS = 64, 256
SHORT_S = 3.0
NULL_HOPS = 300  # 18 s of the sound: what the null network replays

MakeBank = Callable[[Model], ManyStreams]


def measure(
    model: Model,
    seconds: float,
    streams: int | None = None,
    most: int = MOST_STREAMS,
    folder: Path | None = None,
    chunk_ms: int = 60,
    tell: Callable[[Trial], None] = lambda _: None,
    make_bank: MakeBank | None = None,
) -> dict[str, object]:
    """Raise the number of streams until their decisions come late, on the core that this thread runs on.

    Args:
        model: from `rtser.load`.
        seconds: length of a trial, after two seconds to warm up.
        streams: this number alone; None to search.
        most: no number above it is tried.
        folder: of audio files; None for the bundled sample.
        chunk_ms: sound in one push: 60, or what divides it.
        tell: takes every trial.
        make_bank: a new bank of a model; None for `rtser.Bank`.

    Returns:
        ``streams``, their ``lateness_ms`` (p50, p99, max), ``in_time``, ``cpu_percent``, ``others_percent`` (of the
        core, by other programs), ``batch`` (streams a step), ``hop_us`` (CPU time a stream and hop: in all, without
        the network, and the driver's part of both), ``memory`` (of this process, and of each further stream),
        ``trials``, and what was measured.

    Raises:
        InputError: the folder or the length of a push is wrong, or this machine cannot keep up with one stream.
    """
    if not 1 <= chunk_ms <= 60 or 60 % chunk_ms:
        raise InputError(f"a push of {chunk_ms} ms does not divide a hop", "choose 60, 30, 20 or 10")
    make, parts = make_bank or _bank, 60 // chunk_ms
    name, sound = read_sound(folder)
    stream_kib = memory_of_streams(make(model), sound)
    trials: list[Trial] = []

    def attempt(number: int) -> Trial:
        gc.collect()
        trials.append(Driver(make(model), sound, number, parts).run(seconds, WARM_UP_S))
        tell(trials[-1])
        return trials[-1]

    found = attempt(streams) if streams else largest(attempt, lambda trial: trial.in_time, FIRST_STREAMS, most)
    if found is None:
        raise InputError("this machine cannot keep up with one stream", "end other programs, or use a smaller model")
    resident = resident_mib()
    null = without_network(open_session(read_model(Path(model.source)), "cpu", 1), sound[: NULL_HOPS * HOP_SAMPLES])
    bare = Driver(make(null), sound, found.streams, parts).run(seconds, WARM_UP_S)
    driver = Driver(NoBank(parts), sound, found.streams, parts).run(min(SHORT_S, seconds), 0.0)
    return {
        "source": name,
        "model": model.metadata.name,
        "provider": model.execution_provider,
        "seconds": seconds,
        "chunk_ms": chunk_ms,
        "limit_ms": LATE_MS,
        **{key: value for key, value in asdict(found).items() if key not in ("hop_us", "behind")},
        "in_time": found.in_time,
        "hop_us": {"all": found.hop_us, "without_network": bare.hop_us, "driver": driver.hop_us},
        "memory": {"resident_mib": resident and round(resident, 1), "further_stream_kib": stream_kib},
        "trials": [asdict(trial) | {"in_time": trial.in_time} for trial in trials],
    }


def memory_of_streams(bank: ManyStreams, sound: Float32) -> float | None:
    """KiB by which this process grows for each further stream; None if the system does not tell.

    Measured between 64 and 320 streams, a sixth of them in a step.
    """
    pieces = sound.reshape(-1, HOP_SAMPLES)
    ids: list[int] = []
    resident: list[float | None] = []
    for number in (FEW_STREAMS, FURTHER_STREAMS):
        ids += [bank.open() for _ in range(number)]
        for hop in range(2 * FIRST_HOPS):
            for group in range(6):
                for stream in ids[group::6]:
                    bank.push(stream, pieces[(stream + hop) % len(pieces)])
                bank.step()
        gc.collect()
        resident.append(resident_mib())
    few, many = resident
    return None if few is None or many is None else round(1024 * (many - few) / FURTHER_STREAMS, 1)


def _bank(model: Model) -> ManyStreams:
    bank: ManyStreams = Bank(model)
    return bank
