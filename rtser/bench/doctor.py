"""`rtser doctor`: whether this machine can listen, and what to do if it cannot."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rtser.audio.devices import find_device, list_devices
from rtser.audio.microphone import BLOCK_S, Microphone
from rtser.audio.timeouts import call_with_timeout
from rtser.choices import Provider
from rtser.engine.contract import HOP_S, HOP_SAMPLES, Float32
from rtser.engine.model import Model
from rtser.engine.stream import Stream
from rtser.errors import DeviceError, ProviderError, RtserError
from rtser.level import ADVICE, TOO_QUIET, LevelMeter, decibels
from rtser.models import load
from rtser.models.providers import CPU, nvidia_driver
from rtser.statistics import summary_ms
from rtser.versions import installed_version

LISTEN_S = 1.5
PACED_HOPS = 50
CLOCK_S = 0.5


@dataclass(frozen=True)
class Check:
    """One line of the examination.

    Attributes:
        name: what was looked at.
        well: whether it is as it should be.
        finding: what was found.
        advice: what to do if it is not well.
        exit_code: the program's, if it is not well.
    """

    name: str
    well: bool
    finding: str
    advice: str = ""
    exit_code: int = 0


def examine(device: str | None, model: Path | None, provider: Provider) -> Iterator[Check]:
    """Look at everything that listening needs, one thing after another."""
    yield _runtime()
    yield from _audio(device)
    try:
        loaded = load(model, provider)
    except RtserError as error:
        yield _failed("model", error)
    else:
        named = f"{loaded.metadata.name} ({', '.join(loaded.labels)}), run by {loaded.execution_provider}"
        yield Check("model", True, named)
        yield _provider(loaded, provider)
        yield _speed(loaded)
    yield _clock()


def _runtime() -> Check:
    """Which package of ONNX Runtime is installed; two at once break each other."""
    versions = {name: installed_version(name) for name in ("onnxruntime-gpu", "onnxruntime")}
    found = [f"{name} {version}" for name, version in versions.items() if version]
    if len(found) == 1:
        return Check("ONNX Runtime", True, found[0] + ("" if versions["onnxruntime-gpu"] else " (CPU only)"))
    advice = "pip uninstall onnxruntime onnxruntime-gpu, then pip install the one that you want"
    finding = " and ".join(found) + " break each other" if found else "no package of ONNX Runtime is installed"
    return Check("ONNX Runtime", False, finding, advice, ProviderError.exit_code)


def _try(name: str, find_out: Callable[[], str]) -> Check:
    try:
        return Check(name, True, call_with_timeout(find_out))
    except RtserError as error:
        return _failed(name, error)


def _failed(name: str, error: RtserError) -> Check:
    return Check(name, False, error.problem, error.advice or "mend this, then run rtser doctor again", error.exit_code)


def _audio(wanted: str | None) -> Iterator[Check]:
    found = _try("audio library", _library)
    yield found
    if not found.well:
        return
    listed = _try("input devices", _names)
    yield listed
    if listed.well:
        yield _try("microphone", lambda: _microphone(wanted))


def _library() -> str:
    list_devices()
    import sounddevice

    return str(sounddevice.get_portaudio_version()[1])


def _names() -> str:
    found = list_devices()
    if not found:
        find_device(found, None)  # raises, and says what to do
    return ", ".join(dict.fromkeys(device.name for device in found))


def _microphone(wanted: str | None) -> str:
    """Open the microphone for a moment, and measure its level."""
    microphone = Microphone(find_device(list_devices(), wanted))
    until_s = time.monotonic() + LISTEN_S
    while time.monotonic() < until_s and not microphone.ended:
        microphone.wait(BLOCK_S)
    sound = microphone.ring.read(round(LISTEN_S * microphone.sample_rate))
    microphone.close()
    name = f"{microphone.name} at {microphone.sample_rate} Hz"
    if len(sound) < microphone.sample_rate * LISTEN_S / 3:
        raise DeviceError(
            f"{name} opens, but delivers too little sound", "check whether it is suspended, or used by another program"
        )
    level_db = decibels(float(np.mean(sound.astype(np.float64) ** 2)))
    return f"{name}, level {level_db:.0f} dB{_level_finding(np.abs(sound).max(axis=1))}"


def _level_finding(loudest: Float32) -> str:
    """What is wrong with the level of samples (n,), in words; the loudest channel's."""
    meter = LevelMeter()
    meter.note(loudest)
    problem = next((one for one in ADVICE if meter.findings.startswith(one)), "")
    if not problem:
        return ""
    unless = " (unless nobody spoke)" if problem == TOO_QUIET else ""
    return f", but {problem}{unless}: {ADVICE[problem]}"


def _provider(model: Model, asked: Provider) -> Check:
    """Whether an existing GPU is used, unless the CPU was asked for or the runtime is the CPU's."""
    light = installed_version("onnxruntime-gpu") is None
    if model.execution_provider != CPU or asked == "cpu" or light or not nvidia_driver():
        return Check("provider", True, model.execution_provider)
    advice = "its CUDA 13 libraries are missing or do not load: --provider cuda says which"
    return Check("provider", False, f"{model.execution_provider}, although there is an NVIDIA driver", advice, 5)


def _speed(model: Model) -> Check:
    """Steps paced in real time, as in use. Back to back they would look several times faster."""
    stream, steps_s = Stream(model), []
    sound = np.random.default_rng(0).normal(0, 0.1, HOP_SAMPLES).astype(np.float32)
    for _ in range(PACED_HOPS):
        before_s = time.perf_counter()
        stream.push(sound)
        steps_s.append(time.perf_counter() - before_s)
        time.sleep(max(0.0, HOP_S - steps_s[-1]))
    times = summary_ms(steps_s[10:])
    p50, p99 = times["p50"] or 0.0, times["p99"] or 0.0
    finding = f"a decision takes {p50:.1f} ms (p99 {p99:.1f}) of the 60 ms that there are: {60 / p99:.0f} times faster"
    advice = "this machine cannot keep up: end other programs, or use a smaller model"
    return Check("CPU speed", p99 < 60 * 0.8, finding, advice, 2)


def _clock() -> Check:
    """Whether the monotonic clock goes on as fast as the system's own."""
    began_s, began = time.monotonic(), time.time()
    time.sleep(CLOCK_S)
    took_s, took = time.monotonic() - began_s, time.time() - began
    off = abs(took - took_s) / took_s
    finding = f"monotonic, resolution {1e9 * time.get_clock_info('monotonic').resolution:.0f} ns"
    advice = "the system's time was just set, or the machine's clock does not keep time: wait, and try again"
    return Check("clock", off < 0.02, finding + f", {100 * off:.2f} % off the system's", advice, 2)


def failure(checks: list[Check]) -> RtserError | None:
    """What failed, with the exit code of the first check that failed; None if nothing failed."""
    failed = [check for check in checks if not check.well]
    if not failed:
        return None
    error = RtserError(f"{len(failed)} of {len(checks)} checks failed: {', '.join(check.name for check in failed)}")
    error.exit_code = failed[0].exit_code
    return error
