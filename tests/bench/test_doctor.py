from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from rtser.bench import doctor
from rtser.bench.doctor import Check, failure
from rtser.testing import tiny_model

GPU, LIGHT = "onnxruntime-gpu", "onnxruntime"


def installed(monkeypatch, *packages):
    monkeypatch.setattr(doctor, "installed_version", lambda name: "1.31.1" if name in packages else None)


@pytest.mark.parametrize(
    ("packages", "well", "finding"),
    [
        ([GPU], True, "onnxruntime-gpu 1.31.1"),
        ([LIGHT], True, "onnxruntime 1.31.1 (CPU only)"),
        ([], False, "no package of ONNX Runtime is installed"),
        ([GPU, LIGHT], False, "onnxruntime-gpu 1.31.1 and onnxruntime 1.31.1 break each other"),
    ],
)
def test_one_package_of_onnx_runtime_is_well_and_none_or_two_are_not(monkeypatch, packages, well, finding):
    installed(monkeypatch, *packages)
    check = doctor._runtime()
    assert (check.well, check.finding) == (well, finding)
    assert bool(check.advice) != well


@pytest.mark.parametrize(
    ("package", "asked", "well"), [(GPU, "auto", False), (GPU, "cpu", True), (LIGHT, "auto", True)]
)
def test_a_gpu_that_is_not_used_is_told_unless_the_cpu_was_meant(monkeypatch, package, asked, well):
    installed(monkeypatch, package)
    monkeypatch.setattr(doctor, "nvidia_driver", lambda: True)
    assert doctor._provider(tiny_model(), asked).well == well


@pytest.mark.parametrize(
    ("loudest", "finding"),
    [
        (0.0, ", but no signal: the input is silent (muted?)"),
        (1e-4, ", but too quiet (unless nobody spoke): raise the input's level"),
        (0.1, ""),
        (1.0, ", but clipping: lower the input's level"),
    ],
)
def test_what_is_wrong_with_the_level_is_said(loudest, finding):
    assert doctor._level_finding(np.full(24_000, loudest, np.float32)) == finding


def test_without_onnx_runtime_the_doctor_says_so_and_has_no_traceback():
    blocked = "import sys; sys.modules['onnxruntime'] = None; from rtser.__main__ import main; main()"
    result = subprocess.run([sys.executable, "-c", blocked, "doctor"], capture_output=True, text=True, timeout=60)
    assert "FAIL model" in result.stdout
    assert "ONNX Runtime cannot be imported" in result.stdout
    assert "Traceback" not in result.stderr


def test_the_exit_code_is_that_of_the_first_check_that_failed():
    good, bad, worse = Check("a", True, ""), Check("b", False, "", "mend it", 4), Check("c", False, "", "", 3)
    assert failure([good]) is None
    error = failure([good, bad, worse])
    assert error.exit_code == 4
    assert str(error) == "2 of 3 checks failed: b, c."
