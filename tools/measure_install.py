"""Measure the costs of an install: the packages for recognition, their purposes and sizes, and the time to start.

    python tools/measure_install.py

Run it in an environment with a normal installation of rtser. A size includes all files of the package, also compiled
Python files. A time is the best of several starts, and includes the start of the interpreter.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError, distribution, requires

PURPOSE = {
    "numpy": "arrays of sound and of all results",
    "onnxruntime": "runs the network",
    "onnxruntime-gpu": "runs the network, on a GPU where there is one",
    "pydantic": "checks of settings and messages, with errors that name the wrong key",
    "pyfiglet": "the large letters of the live view",
    "pyyaml": "files of settings",
    "rich": "the live view, tables, progress, help",
    "sounddevice": "microphones (PortAudio)",
    "soundfile": "audio files (libsndfile: wav, flac, ogg, mp3, ...)",
    "soxr": "resampling in blocks, without seams",
    "typer": "the command line",
}
"""The purpose of each package in pyproject.toml."""
STARTS = {
    "python -c pass": ["-c", "pass"],
    "import rtser": ["-c", "import rtser"],
    "rtser --version": ["-m", "rtser", "--version"],
    "rtser --help": ["-m", "rtser", "--help"],
    "rtser demo --speed 0 --json": ["-m", "rtser", "demo", "--speed", "0", "--json"],
}
ROUNDS = 7


def main() -> None:
    """Print the tables."""
    sizes = {name: size_mb(name) for name in sorted(needed("rtser"))}
    print("| package | MB | what it is for |\n|---|---|---|")
    for name, size in sorted(sizes.items(), key=lambda one: -one[1]):
        print(f"| {name} | {size:.1f} | {PURPOSE.get(name, 'of another package')} |")
    print(f"| rtser | {size_mb('rtser'):.1f} | the model (2.3 MB) and the code |")
    print(f"| together | {sum(sizes.values()) + size_mb('rtser'):.0f} | |")
    print("\n| start | seconds |\n|---|---|")
    for name, arguments in STARTS.items():
        print(f"| `{name}` | {start_s(arguments):.2f} |")


def needed(name: str) -> set[str]:
    """A package's installed requirements, and theirs in turn; extras are left out."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for requirement in _requires(waiting.pop()):
            other = re.split(r"[^A-Za-z0-9._-]", requirement)[0].lower().replace("_", "-")
            if "extra ==" not in requirement and other not in found and _installed(other):
                found.add(other)
                waiting.append(other)
    return found


def size_mb(name: str) -> float:
    """Size of an installed package's files, in megabytes."""
    paths = [file.locate() for file in distribution(name).files or []]
    return sum(path.stat().st_size for path in paths if path.is_file()) / 1e6


def start_s(arguments: list[str]) -> float:
    """The shortest of several runs of Python, in seconds."""
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begin)
    return min(times)


def _requires(name: str) -> list[str]:
    light = ["onnxruntime"] if name == "rtser" else []  # the light install has it instead of onnxruntime-gpu
    return [*(requires(name) or []), *light]


def _installed(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True


if __name__ == "__main__":
    main()
