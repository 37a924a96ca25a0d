"""Time one step of a model file, or of several in turn: milliseconds a stream and hop, by how many share the call.

    taskset -c 1 python tools/measure_step.py NEW.onnx [OLD.onnx ...] [--streams 1 4 8 16 32 64] [--seconds 2]

The files are stepped alternately, back to back on one thread, hop after hop of noise with each file's own states. The
median of a file's steps counts. Prints the core's float32 matrix product rate and a Markdown table.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from rtser.engine.contract import HOP_SAMPLES, Float32
from rtser.engine.model import Model
from rtser.models import load

TURN_STEPS = 20
WARM_UP_STEPS = 5


def multiply_rate() -> float:
    """GFLOP/s of a float32 matrix product of numpy: the best of ten."""
    a = np.ones((1024, 1024), np.float32)
    times = []
    for _ in range(10):
        before = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - before)
    return 2 * 1024**3 / min(times) / 1e9


def turn(model: Model, samples: Float32, state: list[Float32]) -> tuple[list[float], list[Float32]]:
    """Some steps of the model: the seconds of each but the first few, and the state after them."""
    times, restart = [], np.zeros(len(samples), np.float32)
    for _ in range(WARM_UP_STEPS + TURN_STEPS):
        before = time.perf_counter()
        state = model.step(samples, restart, state).state
        times.append(time.perf_counter() - before)
    return times[WARM_UP_STEPS:], state


def in_turn(models: list[Model], streams: int, seconds: float) -> list[float]:
    """Median milliseconds a stream and hop of each model; so many seconds for each."""
    samples = np.random.default_rng(0).normal(0, 0.1, (streams, HOP_SAMPLES)).astype(np.float32)
    states = [model.initial_state(streams, model.metadata.window) for model in models]
    times: list[list[float]] = [[] for _ in models]
    while sum(times[0]) < seconds:
        for number, model in enumerate(models):
            more, states[number] = turn(model, samples, states[number])
            times[number] += more
    return [1000 * float(np.median(one)) / streams for one in times]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--streams", nargs="+", type=int, default=[1, 4, 8, 16, 32, 64])
    parser.add_argument("--seconds", type=float, default=2.0, help="for each file and number of streams")
    options = parser.parse_args()
    models = [load(path, "cpu") for path in options.files]
    print(f"float32 matrix product: {multiply_rate():.0f} GFLOP/s")
    print("| streams | " + " | ".join(path.name for path in options.files) + " |")
    print("|---" * (1 + len(models)) + "|")
    for streams in options.streams:
        print(f"| {streams} | " + " | ".join(f"{ms:.4f}" for ms in in_turn(models, streams, options.seconds)) + " |")


if __name__ == "__main__":
    main()
