"""Measure how a training step of the segment CNN spends its time on this machine.

    python tools/profile_training.py casia-loso --data DATA [--device cuda] [--steps 40]

Prints milliseconds and shares of each part of a step, and the total time per segment. Each part is timed alone, and the
tool waits for the device after each part.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from rtser_train.config import load_experiment
from rtser_train.data.batches import Batch, Cropping, augment, crops
from rtser_train.data.experiment_data import load
from rtser_train.fitting.fit import running_average
from rtser_train.fitting.optimisers import optimisers
from rtser_train.fitting.stage1 import segment_network
from rtser_train.fitting.threads import use_threads
from rtser_train.networks.randomness import draw_from
from rtser_train.progress import ProgressReporter
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel

from rtser.cores import cores

WARM_UP = 5


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--set", action="append", default=[])
    options = parser.parse_args()
    use_threads(options.threads)
    experiment = load_experiment(options.config, options.set)
    roots = {name: options.data / name for name in experiment.sources}
    bags, noise = load(experiment, roots, ProgressReporter(quiet=True), jobs=-1)
    settings, device = experiment.cnn, options.device
    network = segment_network(experiment).to(device, memory_format=torch.channels_last)
    average = AveragedModel(network, multi_avg_fn=running_average(settings.fit.average), use_buffers=True)
    fitting = optimisers(network, settings.fit)
    generator = torch.Generator(device).manual_seed(0)
    draw_from(network, torch.Generator(device).manual_seed(1))
    spent_s: dict[str, float] = defaultdict(float)

    @contextmanager
    def part(name: str) -> Iterator[None]:
        started_s = time.perf_counter()
        yield
        if device == "cuda":
            torch.cuda.synchronize()
        spent_s[name] += time.perf_counter() - started_s

    rng = np.random.default_rng(0)
    draws = (WARM_UP + options.steps) * settings.fit.batch
    log_floor = experiment.features.log_floor
    cropping = Cropping(settings.segments, log_floor, settings.margin)
    batches = crops(bags, noise, cropping, settings.fit.batch, draws, settings.noise_share, rng)
    for step in range(WARM_UP + options.steps):
        if step == WARM_UP:
            spent_s.clear()
        with part("crops"):
            batch, mixed = next(batches)
        with part("to the device"):
            batch = Batch(*(value.to(device) for value in batch))
            mixed = None if mixed is None else mixed.to(device)
        with part("augmentation"):
            batch = augment(batch, mixed, experiment.augment, log_floor, generator)
        with part("network, forward and backward"):
            with torch.autocast(device, torch.bfloat16, enabled=settings.precision == "bfloat16"):
                logits = network(batch.log_mel).emotion_logits.float()
            labels = batch.labels.clamp_min(0).unsqueeze(1).expand(-1, settings.segments)
            network.zero_grad()
            functional.cross_entropy(logits.flatten(0, 1), labels.flatten()).backward()
        with part("optimiser"):
            for optimiser in fitting:
                optimiser.step()
        with part("running average"):
            average.update_parameters(network)
    total_s = sum(spent_s.values())
    where = torch.cuda.get_device_name() if device == "cuda" else f"{options.threads} of {cores()} cores"
    print(f"{experiment.name}, {settings.size}, {settings.precision}, batches of {settings.fit.batch}, {where}\n")
    print("| part | ms a step | share |\n|---|---|---|")
    for name, seconds in spent_s.items():
        print(f"| {name} | {1000 * seconds / options.steps:.2f} | {seconds / total_s:.1%} |")
    segments = options.steps * settings.fit.batch * settings.segments
    print(f"\n{1000 * total_s / segments:.3f} ms a segment, {segments / total_s:.0f} segments a second")


if __name__ == "__main__":
    main()
