"""Time a step of one or more model files: milliseconds per stream and hop, by the number of streams in a call.

    taskset -c 1 python tools/measure_step.py NEW.onnx [OLD.onnx ...] [--streams 1 4 8 16 32 64] [--seconds 2]

The files take steps in turn on one thread, on hops of noise, each with its own states. The median of a file's steps
counts. The row "1, bound" is the step of a single stream in `rtser listen` and `rtser file`, with inputs, outputs and
states bound once (`rtser.engine.states.States.step` at one row). The next row is the same in real time, with a step
every 60 ms. Prints the core's rate of float32 matrix products (as for the floor of `rtser bench`) and a Markdown table.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from rtser.bench.floor import gemm_gflops
from rtser.engine.contract import HOP_S, HOP_SAMPLES, Float32
from rtser.engine.model import Model
from rtser.engine.states import States
from rtser.models import load

TURN_STEPS = 20
PACED_STEPS = 100
WARM_UP_STEPS = 5


Step = Callable[[], object]


def batch(model: Model, samples: Float32) -> Step:
    """A step of streams that share the call: samples (B, 960), the states kept from step to step."""
    restart = np.zeros(len(samples), np.float32)
    state = model.initial_state(len(samples), model.metadata.window)

    def step() -> None:
        nonlocal state
        state = model.step(samples, restart, state).state

    return step


def lone(model: Model, samples: Float32) -> Step:
    """The bound step of one stream: samples (1, 960)."""
    states = States(model, model.metadata.window)
    states.grow()
    return lambda: states.step([0], [samples[0]], [False])


def turn(step: Step) -> list[float]:
    """Seconds of some steps, without the first few."""
    times = []
    for _ in range(WARM_UP_STEPS + TURN_STEPS):
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    return times[WARM_UP_STEPS:]


def paced(step: Step) -> float:
    """Median milliseconds of steps in real time: caches are cold, and the core has slept."""
    times = []
    for _ in range(PACED_STEPS):
        time.sleep(HOP_S)
        before = time.perf_counter()
        step()
        times.append(time.perf_counter() - before)
    return 1000 * float(np.median(times))


def in_turn(steps: list[Step], seconds: float) -> list[float]:
    """Median milliseconds of each step, measured for `seconds` each."""
    times: list[list[float]] = [[] for _ in steps]
    while sum(times[0]) < seconds:
        for number, step in enumerate(steps):
            times[number] += turn(step)
    return [1000 * float(np.median(one)) for one in times]


def row(make: Callable[[Model, Float32], Step], models: list[Model], streams: int, seconds: float) -> str:
    """The cells of a table row: milliseconds per stream and hop, for each model."""
    samples = np.random.default_rng(0).normal(0, 0.1, (streams, HOP_SAMPLES)).astype(np.float32)
    found = in_turn([make(model, samples) for model in models], seconds)
    return " | ".join(f"{ms / streams:.4f}" for ms in found)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--streams", nargs="+", type=int, default=[1, 4, 8, 16, 32, 64])
    parser.add_argument("--seconds", type=float, default=2.0, help="for each file and number of streams")
    options = parser.parse_args()
    models = [load(path, "cpu") for path in options.files]
    print(f"float32 matrix product: {gemm_gflops():.0f} GFLOP/s")
    print("| streams | " + " | ".join(path.name for path in options.files) + " |")
    print("|---" * (1 + len(models)) + "|")
    print(f"| 1, bound | {row(lone, models, 1, options.seconds)} |")
    noise = np.random.default_rng(0).normal(0, 0.1, (1, HOP_SAMPLES)).astype(np.float32)
    print(f"| 1, bound, every 60 ms | {' | '.join(f'{paced(lone(model, noise)):.4f}' for model in models)} |")
    for streams in options.streams:
        print(f"| {streams} | {row(batch, models, streams, options.seconds)} |")


if __name__ == "__main__":
    main()
