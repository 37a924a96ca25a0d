"""Memory of this process, as the system tells it.

psutil is not among the packages that recognition needs, and does not tell the peak on Linux.
"""

from __future__ import annotations

import os
from pathlib import Path


def resident_mib() -> float | None:
    """Memory that this process holds now, in MiB; None if the system does not tell."""
    try:
        with open("/proc/self/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return None


def peak_mib() -> float | None:
    """The most memory that this process has held, in MiB; None if the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), None)
