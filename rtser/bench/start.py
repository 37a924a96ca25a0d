"""`rtser bench start`: from the shell to the first decision, each time in a new process.

This module imports nothing heavy. A child's peak memory, as Linux tells it, is never below its parent's.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from statistics import median

from rtser.errors import RtserError

LIBRARIES = "import numpy, onnxruntime"


def measure(rounds: int, options: Sequence[str]) -> dict[str, object]:
    """Start processes, all kinds in turn.

    Args:
        rounds: how often each is started.
        options: of `rtser file`, such as ``["--model", "fatt.onnx"]``.

    Returns:
        in seconds, each as median, min and max: ``first_decision_s`` (`rtser file SAMPLE --json` until it has written
        its first decision) and ``import_s`` (``import rtser`` and exit); ``memory_peak_mib`` of `rtser file`;
        ``floor``: ``libraries_s`` (numpy and ONNX Runtime imported, and exit), ``python_s`` (nothing imported), and how
        many ``times`` the libraries' median the first decision's is.

    Raises:
        RtserError: `rtser file` failed; with its sentence and exit code.
    """
    command = ["-m", "rtser", "file", str(files("rtser") / "samples" / "demo.flac"), "--json", *options]
    runs, peaks = [], []
    for _ in range(rounds):
        first_s, peak = first_decision([sys.executable, "-P", *command])  # -P: no modules of the current folder
        runs.append((first_s, *(whole(code) for code in ("import rtser", LIBRARIES, "pass"))))
        peaks.append(peak)
    first, rtser, libraries, python = map(summary, zip(*runs, strict=True))
    times = round(first["median"] / libraries["median"], 2)
    return {
        "command": " ".join(("rtser", *command[2:])),
        "rounds": rounds,
        "first_decision_s": first,
        "import_s": rtser,
        "memory_peak_mib": max((peak for peak in peaks if peak is not None), default=None),
        "floor": {"libraries_s": libraries, "python_s": python, "times": times},
    }


def first_decision(command: Sequence[str]) -> tuple[float, float | None]:
    """Seconds from starting a command to its first decision as JSON, and its peak memory in MiB (None: not known)."""
    before_s, first_s = time.perf_counter(), 0.0
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stderr
    with process.stdout, process.stderr:
        for line in process.stdout:
            if not first_s and '"decision"' in line:
                first_s = time.perf_counter() - before_s
        said = process.stderr.read().strip().splitlines()
    peak = None
    if hasattr(os, "wait4"):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = round(usage.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10), 1)
    if process.wait() or not first_s:
        error = RtserError(said[-1].removeprefix("rtser: ") if said else f"{Path(command[0]).name} made no decision")
        error.exit_code = process.returncode or error.exit_code
        raise error
    return first_s, peak


def whole(code: str) -> float:
    """Seconds that a new Python takes to run some code and exit."""
    before_s = time.perf_counter()
    subprocess.run([sys.executable, "-P", "-c", code], check=True, stdin=subprocess.DEVNULL)
    return time.perf_counter() - before_s


def summary(times_s: Sequence[float]) -> dict[str, float]:
    """Median, least and most of some times, in seconds."""
    return {"median": round(median(times_s), 4), "min": round(min(times_s), 4), "max": round(max(times_s), 4)}
