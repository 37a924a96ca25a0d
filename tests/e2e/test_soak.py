"""The daemon's chain over hours of virtual time."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from conftest import ROOT

pytestmark = pytest.mark.e2e


def test_two_hours_with_losses_past_the_counters_of_31_bits_lose_no_decision():
    command = [sys.executable, ROOT / "tools" / "soak.py", "--days", "0.08", "--losses", "40", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    figures = json.loads(result.stdout)
    assert figures["decisions"] == figures["expected_decisions"] > 100_000
    assert figures["losses"] == 3
    assert figures["ring_counter"] > 2**31
    assert figures["dropped_samples"] == 0
