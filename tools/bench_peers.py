"""Compare the speed of rtser and of alternatives in one run, on the same audio and one core.

    python tools/bench_peers.py [--seconds 60] [--rounds 3] [--folder FOLDER]

Prints a Markdown table of speeds as multiples of real time: openSMILE (eGeMAPS functionals), Silero VAD, a naive
pipeline in PyTorch (at each step it computes the window's log-Mel and all its segments again), and rtser. The peers
take turns, so a machine that becomes slower affects all of them. The median of the rounds counts, after one warm-up
round. A peer that is not installed is named and skipped; `pip install -c constraints.txt '.[train,baseline]'` installs
all of them.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from rtser.commands.process import one_core, single_threaded
from rtser.versions import installed_version

if TYPE_CHECKING:
    from rtser.engine.contract import Float32

SAMPLE_RATE = 16_000
HOP_SAMPLES = 960
WINDOW_SAMPLES = 4 * SAMPLE_RATE
SILERO_SAMPLES = 512
NAIVE_S = 6.0
"""Seconds of audio for the naive pipeline, which is too slow for all of it."""


@dataclass(frozen=True)
class Peer:
    """A program that processes audio.

    Attributes:
        name: its work.
        versions: the packages that it uses.
        seconds: seconds of audio that it processes.
        run: processes the audio once.
    """

    name: str
    versions: tuple[str, ...]
    seconds: float
    run: Callable[[], object]

    @property
    def shown_versions(self) -> str:
        """The packages and their versions."""
        return ", ".join(f"{name} {installed_version(name) or 'from a checkout'}" for name in self.versions)


def opensmile_functionals(audio: Float32) -> Peer:
    """The 88 functionals of eGeMAPS, once over the whole audio: the cheapest use of them."""
    import opensmile

    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    name = "openSMILE, eGeMAPS functionals once over all audio; features, no emotion"
    return Peer(name, ("opensmile",), len(audio) / SAMPLE_RATE, lambda: smile.process_signal(audio, SAMPLE_RATE))


def silero(audio: Float32) -> Peer:
    """A speech probability every 32 ms."""
    import torch
    from silero_vad import load_silero_vad

    torch.set_num_threads(1)
    model = load_silero_vad()
    chunks = torch.from_numpy(audio)[: len(audio) // SILERO_SAMPLES * SILERO_SAMPLES].split(SILERO_SAMPLES)

    def run() -> None:
        model.reset_states()
        with torch.no_grad():
            for chunk in chunks:
                model(chunk, SAMPLE_RATE)

    name = "Silero VAD, every 32 ms; speech or not, no emotion"
    return Peer(name, ("silero-vad", "torch"), len(audio) / SAMPLE_RATE, run)


def naive(audio: Float32) -> Peer:
    """Process the last 4 s again every 60 ms: log-Mel, all segments through the CNN as one batch, attention."""
    import torch
    from rtser_train.export.load import load_step
    from rtser_train.front_end import log_mel
    from rtser_train.networks.bag_network import speech_gate

    from rtser.models import default_model_path, read_model

    torch.set_num_threads(1)
    step, _ = load_step(read_model(default_model_path()))
    first, frames = min(len(audio), WINDOW_SAMPLES), 32
    last = min(len(audio), first + round(NAIVE_S * SAMPLE_RATE))
    ends = range(first, last + 1, HOP_SAMPLES)

    def run() -> None:
        with torch.no_grad():
            for end in ends:
                features = torch.from_numpy(log_mel(audio[end - first : end]))
                segments = features.unfold(0, frames, 6).transpose(1, 2)  # (S, 32, 64)
                output = step.cnn(segments)
                embeddings, gate = output.embeddings[:, 0], speech_gate(output.speech_logits[:, 0].sigmoid())
                if step.context is not None:
                    embeddings = step.context(embeddings[None], gate[None])[0]
                weights, weighted = step.attention.contributions(embeddings, gate)
                logits = step.attention.decide(weights[None], weighted[None])
                step.calibration.probabilities(logits, gate.sum()[None])

    seconds = len(ends) * HOP_SAMPLES / SAMPLE_RATE
    return Peer(f"the naive pipeline, PyTorch, every 60 ms ({seconds:.0f} s of the audio)", ("torch",), seconds, run)


def session(audio: Float32) -> Peer:
    """The work of `rtser file`, within this process."""
    from rich.console import Console

    from rtser.audio.source import MemorySource
    from rtser.models import load
    from rtser.session import Session
    from rtser.ui.lines import LineView

    recogniser = Session(load(provider="cpu"))
    view = LineView(Console(file=open(os.devnull, "w")), recogniser.model.labels)  # noqa: SIM115  # until the end

    def run() -> None:
        recogniser.run(MemorySource([audio]), [view])

    versions = ("rtser", *(name for name in ("onnxruntime-gpu", "onnxruntime") if installed_version(name)))
    return Peer("rtser, every 60 ms", versions, len(audio) / SAMPLE_RATE, run)


def command(audio: Float32, path: Path) -> Peer:
    """The command `rtser file`, including its start."""
    import soundfile

    soundfile.write(path, audio, SAMPLE_RATE)
    line = [sys.executable, "-m", "rtser", "file", str(path), "--provider", "cpu"]
    run = lambda: subprocess.run(line, check=True, stdout=subprocess.DEVNULL)  # noqa: E731
    return Peer("the command `rtser file`, its start included", ("rtser",), len(audio) / SAMPLE_RATE, run)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0, help="seconds of audio")
    parser.add_argument("--rounds", type=int, default=3, help="rounds for each peer")
    parser.add_argument("--folder", type=Path, help="folder of audio files; the repeated bundled sample if not given")
    options = parser.parse_args()
    if options.seconds < 4 or options.rounds < 1:
        parser.error("at least 4 seconds and one round are needed")
    single_threaded()
    core = one_core()
    import numpy as np

    from rtser.bench.floor import gemm_gflops
    from rtser.bench.sounds import read_sound

    source, sound = read_sound(options.folder)
    audio = np.resize(sound, round(options.seconds * SAMPLE_RATE))
    with tempfile.TemporaryDirectory() as folder:
        peers = []
        for make in (opensmile_functionals, silero, naive, session):
            try:
                peers.append(make(audio))
            except ImportError as error:
                print(f"Skipped: {make.__name__}, because {error.name} is not installed.")
        peers.append(command(audio, Path(folder) / "audio.wav"))
        times: list[list[float]] = [[] for _ in peers]
        rates = [gemm_gflops()]
        for number in range(options.rounds + 1):
            for peer, taken in zip(peers, times, strict=True):
                before_s = time.perf_counter()
                peer.run()
                took_s = time.perf_counter() - before_s
                if number:  # the first round warms up: PyTorch compiles in it
                    taken.append(peer.seconds / took_s)
            rates.append(gemm_gflops())
    ours = next(median(taken) for peer, taken in zip(peers, times, strict=True) if peer.name.startswith("rtser"))
    where = "one core" if core is None else f"core {core} of {os.cpu_count()}"
    print(f"{options.seconds:.0f} s of audio ({source}), {platform.machine()}, {where}, Python", end=" ")
    print(f"{platform.python_version()}, matrix product {min(rates):.0f} to {max(rates):.0f} GFLOP/s on it\n")
    print(
        f"| what | times real time, median of {options.rounds} | range | rtser is | versions |\n|---|---|---|---|---|"
    )
    for peer, taken in zip(peers, times, strict=True):
        rate = median(taken)
        span = f"{min(taken):.3g} to {max(taken):.3g}"
        print(f"| {peer.name} | {rate:.3g} | {span} | {ours / rate:.3g} times as fast | {peer.shown_versions} |")


if __name__ == "__main__":
    main()
