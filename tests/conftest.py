"""What tests share: a model without weights, real speech where it is at hand, synthetic speech elsewhere."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from virtual_microphone import VirtualMicrophone, available, virtual_microphone

from rtser.audio.file import read_audio
from rtser.engine.contract import SAMPLE_RATE, Float32
from rtser.engine.model import Model
from rtser.testing import tiny_model, tiny_model_bytes

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("RTSER_DATA", ROOT.parent / "shared" / "data"))
CORPORA = Path(os.environ.get("RTSER_CORPORA", DATA))
WITHOUT_TORCH = ["training", "test_measure_joined.py", "test_measure_voice.py", "e2e"]
"""Tests that need the extra dev."""
collect_ignore = [] if importlib.util.find_spec("torch") else WITHOUT_TORCH


@pytest.fixture(scope="session")
def model() -> Model:
    return tiny_model()


@pytest.fixture(scope="session")
def model_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "tiny.onnx"
    path.write_bytes(tiny_model_bytes())
    return path


@pytest.fixture(scope="session")
def voice() -> Float32:
    """The bundled sample: 20 s of synthetic speech and pauses at 16 kHz."""
    return read_audio(ROOT / "rtser" / "samples" / "demo.flac")


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of the real corpora."""
    if not DATA.is_dir():
        pytest.skip(f"no corpora at {DATA}; RTSER_DATA names their folder")
    return DATA


@pytest.fixture
def corpora() -> Path:
    """The folder of the further real corpora, which few have: each is looked for on its own."""
    return CORPORA


@pytest.fixture(scope="module")
def microphone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[VirtualMicrophone]:
    """A microphone of a sound server of its own, into which tests play files."""
    if not available():
        pytest.skip("no PulseAudio here")
    with virtual_microphone(tmp_path_factory.mktemp("pulse")) as running:
        yield running


def sound(seconds: float, seed: int = 0, level: float = 0.1) -> Float32:
    """Noise whose loudness rises and falls, (n,), float32: sound and near silence by turns."""
    samples = np.random.default_rng(seed).normal(0, level, round(seconds * SAMPLE_RATE))
    swell = np.sin(2 * np.pi * 0.4 * np.arange(len(samples)) / SAMPLE_RATE + seed) ** 4
    return (samples * swell).astype(np.float32)


def rtser(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run the command as a user does."""
    command = [sys.executable, "-m", "rtser", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, **options)  # type: ignore[call-overload, no-any-return]
