"""Measure what the README says of speed and memory, on this machine, through the commands a user types.

    python tools/measure_speed.py [--minutes 5] [--model MODEL]

Prints a Markdown table: `rtser file` against real time on one core, time from the shell to the first decision, peak
memory, and the share of a core that a stream paced in real time takes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

from rtser.audio.file import read_audio
from rtser.engine.contract import SAMPLE_RATE

SAMPLE = Path(__file__).parents[1] / "rtser" / "samples" / "demo.flac"
PACED_S = 20


def run(arguments: list[str], core: int) -> tuple[float, float, float, list[str]]:
    """Run `rtser` pinned to one core: wall and CPU seconds, peak memory in MiB, the lines it wrote."""
    with tempfile.TemporaryFile("w+") as out:
        before_s = time.perf_counter()
        process = subprocess.Popen([sys.executable, "-m", "rtser", *arguments], stdout=out)
        os.sched_setaffinity(process.pid, {core})
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - before_s
        if status:
            raise SystemExit(f"rtser {' '.join(arguments)} failed")
        out.seek(0)
        return wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, out.read().splitlines()


def first_decision(arguments: list[str]) -> float:
    """Seconds from starting the command to its first decision on standard output."""
    before_s = time.perf_counter()
    with subprocess.Popen([sys.executable, "-m", "rtser", *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            if json.loads(line)["type"] == "decision":
                process.kill()
                return time.perf_counter() - before_s
    raise SystemExit("no decision")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0, help="length of the sound measured")
    parser.add_argument("--model", help="model file; the shipped one if not named")
    options = parser.parse_args()
    model = ["--model", options.model] if options.model else []
    core = max(os.sched_getaffinity(0))
    samples = read_audio(SAMPLE)
    sound = np.tile(samples, round(options.minutes * 60 * SAMPLE_RATE / len(samples)) + 1)
    seconds = len(sound) / SAMPLE_RATE
    with tempfile.TemporaryDirectory() as folder:
        path, short = str(Path(folder) / "long.wav"), str(Path(folder) / "short.wav")
        soundfile.write(path, sound, SAMPLE_RATE)
        soundfile.write(short, sound[: PACED_S * SAMPLE_RATE], SAMPLE_RATE)
        wall_s, _, memory_mib, fast = run(["file", path, "--json", *model], core)
        _, start_cpu_s, _, _ = run(["info", "--json", *model[1:]], core)
        _, paced_cpu_s, _, paced = run(["file", short, "--json", "--stream", *model], core)
    first_s = sorted(first_decision(["file", str(SAMPLE), "--json", *model]) for _ in range(5))
    fast_ms, paced_ms = (json.loads(lines[-1])["step_ms"] for lines in (fast, paced))
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print("| what | measured |\n|---|---|")
    print(f"| `rtser file --json`, {seconds:.0f} s of sound, one core | {seconds / wall_s:.0f} times real time |")
    print(f"| a hop's step in it | p50 {fast_ms['p50']} ms, p99 {fast_ms['p99']} ms |")
    print(f"| peak memory | {memory_mib:.0f} MiB |")
    print(f"| from the shell to the first decision | median {first_s[2]:.2f} s of 5 |")
    print(f"| a hop's step in a stream paced in real time | p50 {paced_ms['p50']} ms, p99 {paced_ms['p99']} ms |")
    share = (paced_cpu_s - start_cpu_s) / PACED_S
    print(f"| CPU of that stream, start-up ({start_cpu_s:.2f} s) taken off | {100 * share:.1f} % of a core |")


if __name__ == "__main__":
    main()
