"""ONNX Runtime sessions: which execution provider runs the network, and how."""

from __future__ import annotations

import ctypes
import re
from typing import Any

from rtser.choices import Provider
from rtser.errors import ArgumentError, ModelError, ProviderError

CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"


def open_session(content: bytes, provider: Provider, threads: int) -> Any:
    """A session for the content of a model file.

    Args:
        content: the file.
        provider: ``auto`` takes CUDA if there is an NVIDIA driver; ``cuda`` fails if CUDA cannot run.
        threads: threads of the network on the CPU.

    Raises:
        ModelError: the content is not a model that ONNX Runtime can load.
        ProviderError: ``cuda`` was asked for and is not available.
    """
    if provider not in ("auto", "cpu", "cuda"):
        raise ArgumentError(f"provider {provider!r} is unknown", "choose auto, cpu or cuda")
    if not isinstance(threads, int) or threads < 1:
        raise ArgumentError(f"threads must be a whole number of at least 1, not {threads!r}")
    if provider == "cuda" or (provider == "auto" and nvidia_driver()):
        try:
            return _cuda_session(content, threads)
        except ProviderError:
            if provider == "cuda":
                raise
    return _cpu_session(content, threads)


def _runtime() -> Any:
    """The module onnxruntime, imported late so that its absence is one sentence."""
    try:
        import onnxruntime
    except ImportError as error:
        raise ProviderError(
            f"ONNX Runtime cannot be imported ({first_line(error)})", "pip install onnxruntime, or onnxruntime-gpu"
        ) from None
    return onnxruntime


def _options(threads: int) -> Any:
    """Quiet, and without spinning: a default session burns most of a core between hops."""
    options = _runtime().SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _cpu_session(content: bytes, threads: int) -> Any:
    runtime = _runtime()
    try:
        return runtime.InferenceSession(content, _options(threads), providers=[CPU])
    except Exception as error:  # ONNX Runtime raises many types here, some of them private
        reason = first_line(error)
        if "INVALID_PROTOBUF" in reason or "No graph was found" in reason:
            advice = "name a file of rtser export or rtser adapt, or copy it again"
            raise ModelError("it is not a model file, or it is damaged", advice) from None
        reason = re.sub(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ", "", reason)
        raise ModelError(f"ONNX Runtime cannot load it ({reason})") from None


def _cuda_session(content: bytes, threads: int) -> Any:
    """A session wholly on CUDA, or ProviderError. ONNX Runtime itself would silently fall back to the CPU."""
    onnxruntime = _runtime()
    if CUDA not in onnxruntime.get_available_providers():
        raise ProviderError(
            "CUDA was asked for, but the installed ONNX Runtime has no CUDA provider", "install onnxruntime-gpu"
        )
    if not nvidia_driver():
        raise ProviderError("CUDA was asked for, but this machine has no NVIDIA driver", "use --provider cpu")
    onnxruntime.preload_dlls()
    options = _options(threads)
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    settings = {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
    _cpu_session(content, threads)  # a damaged model is a ModelError, whatever the provider
    try:
        session = onnxruntime.InferenceSession(content, options, providers=[(CUDA, settings)])
    except Exception as error:  # ONNX Runtime raises many types here, some of them private
        raise ProviderError(f"CUDA was asked for, but is not available ({first_line(error)})") from None
    if session.get_providers()[0] != CUDA:
        raise ProviderError("CUDA was asked for, but ONNX Runtime could not load it", "check the CUDA 13 libraries")
    return session


def first_line(error: Exception) -> str:
    """The first line of an error's text, or its type."""
    lines = str(error).strip().splitlines()
    return lines[0].strip(" .") if lines else type(error).__name__


def nvidia_driver() -> bool:
    """Whether this machine has an NVIDIA driver."""
    for name in ("libcuda.so.1", "nvcuda.dll"):
        try:
            ctypes.CDLL(name)
        except OSError:
            continue
        return True
    return False
