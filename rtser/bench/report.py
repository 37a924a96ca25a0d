"""The figures of `rtser bench` as aligned lines in plain English."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rtser.bench.trial import Trial

Figures = Mapping[str, Any]
Row = tuple[str, str]

MUCH_PERCENT = 3.0
UNKNOWN = "not known"
HOW_TO_COUNT = "not known: counting the model's multiply-adds needs the package onnx (pip install onnx)"
HOW_TO_READ = (
    "How to read the floor: a hop (60 ms of sound) would take so long if this core did nothing but the model's\n"
    "multiply-adds, as fast as it multiplies large matrices. It leaves out the arithmetic of the ring buffers and all\n"
    "elementwise work, and it cannot be reached: small products are slower, and memory, sound and decisions take time\n"
    "too. How many times the floor a hop takes says how much could be gained at most."
)
TRIAL_HEAD = f"{'streams':>8} {'late p50':>9} {'p99':>8} {'max':>8} {'CPU':>7} {'a hop':>9}"


def lines(rows: Iterator[Row]) -> str:
    """Rows of a name and what was measured, aligned."""
    kept = list(rows)
    width = max(len(name) for name, _ in kept)
    return "\n".join(f"{name:<{width}}  {value}".rstrip() for name, value in kept)


def live_rows(figures: Figures) -> Iterator[Row]:
    """Of `rtser bench live`."""
    yield from _what(figures)
    yield "measured", f"{figures['seconds']} s, {figures['decisions']} decisions, in real time"
    yield "latency", f"{_times(figures['latency_ms'])}, from a segment's last sample to its decision"
    yield "a decision's step", _times(figures["step_ms"])
    yield "CPU", f"{figures['cpu_percent']} % of one core"
    memory = figures["memory_mib"]
    yield "memory", f"{_mib(memory['resident'])}, grown by {_mib(memory['grown'])} in the second half"
    yield "dropped samples", str(figures["dropped_samples"])
    yield from _floor(figures["floor"], "a step's median")


def file_rows(figures: Figures) -> Iterator[Row]:
    """Of `rtser bench file`."""
    yield from _what(figures)
    yield "measured", f"{figures['seconds']} s of sound, {figures['decisions']} decisions"
    yield "speed", f"{figures['times_real_time']} times real time, decoding included"
    yield "a hop in all", f"{figures['hop_ms']} ms"
    yield "a decision's step", _times(figures["step_ms"])
    yield "peak memory", _mib(figures["memory_peak_mib"])
    yield from _floor(figures["floor"], "a step's median")


def start_rows(figures: Figures) -> Iterator[Row]:
    """Of `rtser bench start`."""
    yield "command", figures["command"]
    yield "measured", f"{figures['rounds']} new processes of each kind, in turn"
    yield "to the first decision", _seconds(figures["first_decision_s"])
    yield "import rtser, exit", _seconds(figures["import_s"])
    yield "peak memory", _mib(figures["memory_peak_mib"])
    floor = figures["floor"]
    yield "floor", f"{_seconds(floor['libraries_s'])}: numpy and ONNX Runtime imported, exit"
    yield "Python alone", f"{_seconds(floor['python_s'])}: nothing imported, exit"
    yield "first decision", f"{floor['times']} times the floor"


def streams_rows(figures: Figures) -> Iterator[Row]:
    """Of `rtser bench streams`."""
    hop, memory, chunk_ms = figures["hop_us"], figures["memory"], figures["chunk_ms"]
    yield from _what(figures)
    yield "measured", f"{figures['seconds']} s a trial, in real time; {chunk_ms} ms of sound in a push"
    verdict = "in time" if figures["in_time"] else "too late, or out of CPU"
    yield "streams", f"{figures['streams']} ({verdict}; late is a p99 above {figures['limit_ms']:.0f} ms)"
    yield "lateness", f"{_times(figures['lateness_ms'])}, from a hop's last sample to its decision"
    yield "CPU", f"{figures['cpu_percent']} % of one core, {figures['batch']} streams in a step"
    if figures["others_percent"] > MUCH_PERCENT:
        yield "", f"other programs took {figures['others_percent']} % of it: measure again when the machine is idle"
    yield "a stream and hop", f"{hop['all']} us, {hop['without_network']} us without the network"
    yield "", f"{hop['driver']} us of both are this driver's: the clock, waiting, cutting the sound"
    yield "", "decisions come as arrays, a row a stream (rtser.Bank); no Decision objects and no events are made"
    further = memory["further_stream_kib"]
    yield "memory", f"{_mib(memory['resident_mib'])}, {UNKNOWN if further is None else further} KiB a further stream"
    yield from _floor(figures["floor"], "a stream and hop")


def trial_line(trial: Trial) -> str:
    """One trial, below `TRIAL_HEAD`."""
    p50, p99, most = (f"{UNKNOWN if one is None else round(one, 1)}" for one in trial.lateness_ms.values())
    verdict = "in time" if trial.in_time else "given up, ever further behind" if trial.behind else "too late"
    if trial.others_percent > MUCH_PERCENT:
        verdict += f", but other programs took {trial.others_percent} %"
    cost = f"{trial.cpu_percent:>5} % {trial.hop_us:>6} us"
    return f"{trial.streams:>8} {p50:>6} ms {p99:>5} ms {most:>5} ms {cost}  {verdict}"


def _what(figures: Figures) -> Iterator[Row]:
    yield "sound", figures["source"]
    yield "model", f"{figures['model']}, {figures['provider']}"


def _floor(floor: Figures, name: str) -> Iterator[Row]:
    count, gflops = floor["multiply_adds"], floor["core_gflops"]
    if count is None:
        yield "floor", HOW_TO_COUNT
        return
    yield "floor", f"{floor['hop_ms']} ms a hop: {count / 1e6:.2f} million multiply-adds at {gflops} GFLOP/s"
    if floor["times"] is not None:
        yield name, f"{floor['times']} times the floor"


def _times(milliseconds: Figures) -> str:
    return ", ".join(f"{name} {UNKNOWN if value is None else value}" for name, value in milliseconds.items()) + " ms"


def _seconds(figures: Figures) -> str:
    return f"median {figures['median']:.3f} s ({figures['min']:.3f} to {figures['max']:.3f})"


def _mib(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.1f} MiB"
