"""How many CPU cores this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""What a container may use (cgroup v2): microseconds of CPU time, and of the period that they are for."""


def cores() -> int:
    """How many CPU cores this process may use, at least 1: the machine's, less what its affinity or container forbids.

    joblib.cpu_count says the same, but joblib is not a package that recognition needs; Python's
    os.process_cpu_count (3.13) knows no containers.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, _quota())


def _quota() -> int:
    """Cores of the container's quota, which is above 0, rounded up; very many where there is none."""
    try:
        quota, period = QUOTA.read_text(encoding="ascii").split()
        return math.ceil(int(quota) / int(period))
    except (OSError, ValueError, ZeroDivisionError):  # another system; "max" for no quota
        return 1 << 30
