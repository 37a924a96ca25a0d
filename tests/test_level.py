"""No signal, too quiet, clipping: said where they hold, and only there."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import sound

from rtser.engine.contract import SAMPLE_RATE, Float32
from rtser.level import LevelMeter

SPEECH = sound(12.0, level=0.1)


def heard(samples: Float32, block: int = 960) -> LevelMeter:
    meter = LevelMeter()
    for at in range(0, len(samples), block):
        meter.note(samples[at : at + block])
    return meter


@pytest.mark.parametrize(
    ("samples", "problem"),
    [
        (SPEECH, ""),
        (SPEECH * 10 ** (-20 / 20), ""),
        (np.zeros(12 * SAMPLE_RATE, np.float32), "no signal"),
        (SPEECH * 10 ** (-60 / 20), "too quiet"),
        (np.clip(20 * SPEECH, -1, 1), "clipping"),
        (SPEECH / np.abs(SPEECH).max(), ""),
    ],
)
@pytest.mark.parametrize("block", [320, 960, 50_000])
def test_the_problem_of_the_last_seconds(samples, problem, block):
    meter = heard(samples, block)
    assert meter.problem == problem
    assert meter.findings.startswith(problem)
    assert bool(meter.findings) == bool(problem)


def test_a_problem_that_is_over_is_no_longer_said_but_clipping_is_remembered():
    meter = heard(np.concatenate([np.clip(20 * SPEECH, -1, 1), SPEECH]))
    assert meter.problem == ""
    assert meter.findings.startswith("clipping for ")
    meter = heard(np.concatenate([np.zeros_like(SPEECH), SPEECH]))
    assert (meter.problem, meter.findings) == ("", "")


def test_a_short_pause_is_no_problem():
    assert heard(np.concatenate([SPEECH, np.zeros(2 * SAMPLE_RATE, np.float32)])).problem == ""


def test_nothing_heard_is_no_problem():
    meter = LevelMeter()
    meter.note(np.empty(0, np.float32))
    assert (meter.problem, meter.findings) == ("", "")
