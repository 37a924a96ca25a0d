"""The model file: one self-describing ONNX graph whose step turns a segment and a state into a decision.

The contract (version 1), all float32, B streams, K emotions, W segments in the window:

* in ``segment`` (B, 32, 64) log-Mel; ``gate`` (B,) 0..1; ``state_*`` (B, W, ...), zeros at the start
* out ``emotions`` (B, K) and ``segment_emotions`` (B, K) probabilities; ``speech`` (B,) and ``salience`` (B,) 0..1;
  ``state_*_next`` shaped as ``state_*``
* metadata ``rtser``: JSON, see `Metadata`
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import onnxruntime

from rtser.engine.features import MEL_BINS, SEGMENT_FRAMES, SPECIFICATION, Float32
from rtser.errors import InputError, ModelError, ProviderError

CONTRACT_VERSION = 1
METADATA_KEY = "rtser"
MAX_WINDOW = 60_000
"""Longest window in segments: an hour."""
OUTPUTS = ("emotions", "segment_emotions", "speech", "salience")
CPU = "CPUExecutionProvider"
CUDA = "CUDAExecutionProvider"
Provider = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Metadata:
    """What a model file says of itself.

    Attributes:
        contract: version of the contract, an integer.
        name: name of the model.
        labels: the K emotions, in the order of the outputs.
        features: must equal `rtser.engine.features.SPECIFICATION`.
        window: default window in segments.
        min_confidence: below it a decision names no emotion; 0..1.
        architecture: one line.
        corpora: what it was trained on.
        licence: of the weights.
        calibration: how the probabilities were calibrated.
        measures: what was measured, each with its protocol.
        limits: what it must not be trusted with, in words.
    """

    contract: int
    name: str
    labels: tuple[str, ...]
    features: dict[str, float | int | str]
    window: int
    min_confidence: float
    architecture: str
    corpora: tuple[str, ...]
    licence: str
    calibration: dict[str, Any] = field(default_factory=dict)
    measures: dict[str, Any] = field(default_factory=dict)
    limits: str = ""

    def to_json(self) -> str:
        """The text stored in the file under `METADATA_KEY`."""
        return json.dumps(self.__dict__, sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Metadata:
        """Read and check the text; raises ModelError naming what is wrong."""
        try:
            content = json.loads(text)
            contract = content["contract"]
            if contract != CONTRACT_VERSION:
                raise ModelError(
                    f"it follows version {contract} of the model contract and this rtser reads version "
                    f"{CONTRACT_VERSION}; use the rtser release that it was exported with, or export it again."
                )
            for name, kind in _KINDS.items():
                if name in content and type(content[name]) not in kind:
                    raise ValueError(f"{name} is no {kind[0].__name__}")
            metadata = Metadata(**content | {key: tuple(content[key]) for key in ("labels", "corpora")})
            if not all(isinstance(text, str) for text in (*metadata.labels, *metadata.corpora)):
                raise ValueError("labels and corpora must be texts")
            if not metadata.labels or len(set(metadata.labels)) < len(metadata.labels):
                raise ValueError("labels are missing or stand twice")
            if not 1 <= metadata.window <= MAX_WINDOW or not 0 <= metadata.min_confidence <= 1:
                raise ValueError("window or min_confidence is out of range")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ModelError(f"its rtser metadata cannot be read ({error}); export it again.") from None
        if metadata.features != SPECIFICATION:
            differing = sorted(
                key
                for key in SPECIFICATION.keys() | metadata.features.keys()
                if SPECIFICATION.get(key) != metadata.features.get(key)
            )
            raise ModelError(
                f"it was trained on other features ({', '.join(differing)} differ); "
                "train it again with this version of rtser."
            )
        return metadata


_KINDS: dict[str, tuple[type, ...]] = {
    "name": (str,),
    "labels": (list,),
    "features": (dict,),
    "window": (int,),
    "min_confidence": (float, int),
    "architecture": (str,),
    "corpora": (list,),
    "licence": (str,),
    "calibration": (dict,),
    "measures": (dict,),
    "limits": (str,),
}
"""Types of the metadata's values as JSON has them."""


class StepOutput(NamedTuple):
    """One step of B streams: `emotions` and `segment_emotions` (B, K), `speech` and `salience` (B,), the next state."""

    emotions: Float32
    segment_emotions: Float32
    speech: Float32
    salience: Float32
    state: list[Float32]


class Model:
    """A loaded model: immutable, shared by any number of streams.

    Args:
        path: the ONNX file; None for the model that ships with rtser.
        provider: where the network runs. ``auto`` takes a GPU where there is one; ``cuda`` fails where there is none.
        threads: threads of the network on the CPU. One is fastest for live streams.

    Attributes:
        metadata: what the file says of itself.
        sha256: of the file, hexadecimal.
        provider: the execution provider really in use, such as ``CPUExecutionProvider``.

    Raises:
        ModelError: the file is missing, damaged or not a model of this contract.
        ProviderError: ``cuda`` was asked for and cannot be had.
    """

    def __init__(
        self, path: str | os.PathLike[str] | None = None, provider: Provider = "auto", threads: int = 1
    ) -> None:
        self.path = default_model_path() if path is None else Path(path)
        self._init_from_bytes(_read(self.path), provider, threads)

    @classmethod
    def from_bytes(
        cls, content: bytes, name: str = "in memory", provider: Provider = "auto", threads: int = 1
    ) -> Model:
        """A model from the content of its file."""
        model = cls.__new__(cls)
        model.path = Path(name)
        model._init_from_bytes(content, provider, threads)
        return model

    def _init_from_bytes(self, content: bytes, provider: Provider, threads: int) -> None:
        self.sha256 = hashlib.sha256(content).hexdigest()
        try:
            self._session = _session(content, provider, threads)
            stored = self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
            if stored is None:
                raise ModelError("it is an ONNX file, but not a model of rtser (no rtser metadata).")
            self.metadata = Metadata.from_json(stored)
            self._states = self._check_contract()
            self._try_step()
        except ModelError as error:
            raise ModelError(f"{self.path}: {error}") from None
        self.provider: str = self._session.get_providers()[0]

    def __repr__(self) -> str:
        return f"<Model {self.metadata.name!r}: {', '.join(self.labels)}; {self.provider}>"

    @property
    def labels(self) -> tuple[str, ...]:
        """The K emotions, in the order of the outputs."""
        return self.metadata.labels

    def initial_state(self, streams: int, window: int) -> list[Float32]:
        """Zeros for so many streams and a window of so many segments."""
        return [np.zeros((streams, window, *rest), np.float32) for _, rest in self._states]

    def weights(self, state: list[Float32]) -> Float32:
        """The attention weights (B, W, D) that a state holds, zeros where nothing was heard.

        Raises:
            ModelError: the model keeps none by the name of ``state_weights``, as those that `rtser export` writes do.
        """
        for (name, _), value in zip(self._states, state, strict=True):
            if name == "state_weights":
                return value
        raise ModelError("it keeps no attention weights (state_weights); export it with this version.")

    def step(self, segment: Float32, gate: Float32, state: list[Float32]) -> StepOutput:
        """Run one step of B streams.

        Args:
            segment: (B, 32, 64) log-Mel.
            gate: (B,), 0..1, weight given to the segment from outside.
            state: from `initial_state` or the step before; its W is the window.
        """
        inputs = {"segment": segment, "gate": gate}
        inputs |= {name: value for (name, _), value in zip(self._states, state, strict=True)}
        names = [*OUTPUTS, *(f"{name}_next" for name, _ in self._states)]
        emotions, segment_emotions, speech, salience, *following = self._session.run(names, inputs)
        return StepOutput(emotions, segment_emotions, speech, salience, following)

    def signature(self) -> list[tuple[str, str, str]]:
        """Inputs and outputs as (direction, name, shape) in words."""
        rows = [("in", node) for node in self._session.get_inputs()]
        rows += [("out", node) for node in self._session.get_outputs()]
        return [(way, node.name, " x ".join(map(str, node.shape))) for way, node in rows]

    def _try_step(self) -> None:
        """Run one step of two silent streams: a file may declare the contract's tensors and yet not keep to it."""
        state = self.initial_state(streams=2, window=3)
        try:
            output = self.step(np.zeros((2, SEGMENT_FRAMES, MEL_BINS), np.float32), np.ones(2, np.float32), state)
        except Exception as error:  # ONNX Runtime raises many types here, some of them private
            raise ModelError(f"its step does not run as the contract says ({_first_line(error)}).") from None
        shapes = [value.shape for value in (*output[:4], *output.state)]
        kinds = (2, len(self.labels))
        if shapes != [kinds, kinds, (2,), (2,), *(before.shape for before in state)]:
            raise ModelError("its step's outputs have other shapes than the contract says; export it again.")

    def _check_contract(self) -> list[tuple[str, tuple[int, ...]]]:
        """Check the graph against the contract; the states' names and trailing shapes."""
        inputs = {node.name: node for node in self._session.get_inputs()}
        outputs = {node.name: node for node in self._session.get_outputs()}
        states = [name for name in inputs if name.startswith("state_")]
        needed_outputs = {*OUTPUTS, *(f"{name}_next" for name in states)}
        if set(inputs) != {"segment", "gate", *states} or set(outputs) != needed_outputs:
            raise ModelError("its inputs and outputs are not those of the contract; export it again.")
        shapes = {
            "segment": (inputs["segment"].shape[1:], [SEGMENT_FRAMES, MEL_BINS]),
            "emotions": (outputs["emotions"].shape[1:], [len(self.labels)]),
            "segment_emotions": (outputs["segment_emotions"].shape[1:], [len(self.labels)]),
        }
        for name, (found, expected) in shapes.items():
            if found != expected:
                raise ModelError(f"its tensor {name} has shape {found} a stream, not {expected}; export it again.")
        for name in states:
            if len(inputs[name].shape) < 2 or not all(isinstance(size, int) for size in inputs[name].shape[2:]):
                raise ModelError(f"its tensor {name} has no shape (streams, window, ...); export it again.")
        return [(name, tuple(inputs[name].shape[2:])) for name in states]


def default_model_path() -> Path:
    """The model that ships with rtser."""
    return Path(str(files("rtser") / "models" / "default.onnx"))


def _read(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise ModelError(f"model {path} is not a file; name a model file.")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"model {path} cannot be read ({error.strerror}); name a model file.") from None


def _session(content: bytes, provider: Provider, threads: int) -> onnxruntime.InferenceSession:
    if provider not in ("auto", "cpu", "cuda"):
        raise InputError(f"provider {provider!r} is unknown; choose auto, cpu or cuda.")
    if provider == "cuda" or (provider == "auto" and nvidia_driver()):
        try:
            return _cuda_session(content, threads)
        except ProviderError:
            if provider == "cuda":
                raise
    return _open(content, _options(threads), [CPU])


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def _cuda_session(content: bytes, threads: int) -> onnxruntime.InferenceSession:
    """A session wholly on CUDA, or ProviderError: ONNX Runtime alone would fall back to the CPU in silence."""
    if CUDA not in onnxruntime.get_available_providers():
        raise ProviderError(
            "CUDA was asked for, but the installed ONNX Runtime has no CUDA provider; install onnxruntime-gpu."
        )
    if not nvidia_driver():
        raise ProviderError("CUDA was asked for, but this machine has no NVIDIA driver; use --provider cpu.")
    onnxruntime.preload_dlls()
    options = _options(threads)
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    settings = {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
    _open(content, _options(threads), [CPU])  # a damaged model is a ModelError, whatever the provider
    try:
        session = onnxruntime.InferenceSession(content, options, providers=[(CUDA, settings)])
    except Exception as error:  # ONNX Runtime raises many types here, some of them private
        raise ProviderError(f"CUDA was asked for, but cannot be had ({_first_line(error)}).") from None
    if session.get_providers()[0] != CUDA:
        raise ProviderError("CUDA was asked for, but ONNX Runtime could not load it; check the CUDA 13 libraries.")
    return session


def _open(content: bytes, options: onnxruntime.SessionOptions, providers: list[str]) -> onnxruntime.InferenceSession:
    try:
        return onnxruntime.InferenceSession(content, options, providers=providers)
    except Exception as error:  # ONNX Runtime raises many types here, some of them private
        raise ModelError(f"it is no model file that ONNX Runtime can load ({_first_line(error)}).") from None


def _first_line(error: Exception) -> str:
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
