"""The model contract, version 2: samples in, decisions out, and what a model file says of itself.

One ONNX graph is one hop of B streams. K emotions, W segments in the window, F embedding, all float32:

* in ``samples`` (B, 960), 60 ms at 16 kHz in [-1, 1]; ``restart`` (B,), 1: forget the utterance before this hop's
  segment; ``state_*`` (B, ...), zeros at the start of a stream
* out ``emotions`` and ``segment_emotions`` (B, K); ``speech`` and ``salience`` (B,); ``state_*_next``; and on demand
  ``embedding`` (B, F) and ``log_mel`` (B, 6, 64)
* metadata ``rtser``: JSON, see `Metadata`

A stream begins as if 400 zeros had come before it, so hop h ends at sample 560 + 960 h, and hop k + 5 completes
segment k. Until five hops have passed, all outputs but ``log_mel`` are zeros.
"""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rtser.errors import ArgumentError, ModelError

Float32 = NDArray[np.float32]

CONTRACT_VERSION = 2
METADATA_KEY = "rtser"
CONVERT = "export its run again, or convert it: rtser export OLD.onnx -o NEW.onnx"
OUTPUTS = ("emotions", "segment_emotions", "speech", "salience")
EXTRAS = ("embedding", "log_mel")
MAX_WINDOW = 60_000  # in segments: an hour

SAMPLE_RATE = 16_000
FRAME_SAMPLES = 400
FRAME_HOP_SAMPLES = 160
MEL_BINS = 64
HOP_FRAMES = 6
HOP_SAMPLES = HOP_FRAMES * FRAME_HOP_SAMPLES  # 960: 60 ms
HOP_S = HOP_SAMPLES / SAMPLE_RATE
LEAD_SAMPLES = 400  # zeros before a stream
SEGMENT_FRAMES = 32
SEGMENT_SAMPLES = FRAME_SAMPLES + (SEGMENT_FRAMES - 1) * FRAME_HOP_SAMPLES  # 5360: 335 ms
FIRST_SEGMENT_HOP = 5  # the hop that completes a stream's first segment
MAX_SAMPLE = 16  # full scale is 1; what lies far beyond is no sound, or of another scale


class State(BaseModel, frozen=True, extra="forbid"):
    """One of the states: what it is, and whether it belongs to the utterance (zeroed by ``restart``) or the stream."""

    name: str
    role: str
    reset: Literal["utterance", "stream"]


class Metadata(BaseModel):
    """What a model file says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    contract: int = Field(CONTRACT_VERSION, description="version of the contract")
    name: str = Field(description="name of the model")
    labels: tuple[str, ...] = Field(min_length=1, description="the K emotions, in the order of the outputs")
    sample_rate: Literal[16_000] = Field(16_000, description="in Hz")
    hop_samples: Literal[960] = Field(960, description="samples of a hop")
    lead_samples: Literal[400] = Field(400, description="zeros before a stream")
    segment_samples: Literal[5360] = Field(5360, description="samples of a segment")
    window: int = Field(ge=1, le=MAX_WINDOW, strict=True, description="default window in segments")
    label_threshold: float = Field(ge=0, le=1, strict=True, description="below it a decision has no label")
    states: tuple[State, ...] = Field(description="the states, in the order of the inputs")
    architecture: str = Field(description="one line")
    networks: dict[str, Any] = Field({}, description="what training needs to load the weights again")
    corpora: tuple[str, ...] = Field(description="what it was trained on")
    held_out: tuple[str, ...] = Field((), description="those of which a third was left out, for measuring")
    licence: str = Field(description="of the weights")
    calibration: dict[str, Any] = Field({}, description="how the probabilities were calibrated")
    measures: dict[str, Any] = Field({}, description="what was measured, each with its protocol")
    baseline: tuple[Annotated[float, Field(ge=-100, le=0)], ...] | None = Field(
        None, description="log(emotions) of the average voice speaking neutrally, one for each label"
    )
    limits: str = Field("", description="what it must not be trusted with, in words")

    def to_json(self) -> str:
        """The text stored in the file under `METADATA_KEY`."""
        return json.dumps(self.model_dump(), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Metadata:
        """Read and check the text; raises ModelError that names what is wrong."""
        try:
            contract = json.loads(text)["contract"]
            if contract != CONTRACT_VERSION:
                problem = f"it follows version {contract} of the model contract and this rtser reads {CONTRACT_VERSION}"
                raise ModelError(problem, CONVERT if contract == 1 else "install the version of rtser that wrote it")
            metadata = Metadata.model_validate_json(text)
            if len(set(metadata.labels)) < len(metadata.labels):
                raise ValueError("a label is listed twice")
            if metadata.baseline is not None and len(metadata.baseline) != len(metadata.labels):
                raise ValueError("baseline: it must have one number for each label")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            reason = str(error)
            if isinstance(error, ValidationError):
                first = error.errors()[0]
                reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise ModelError(f"its rtser metadata cannot be read ({reason})", "export it again") from None
        return metadata


def checked_samples(samples: Float32) -> Float32:
    """The samples as a plain array, shape (n,), float32. Each is a number of at most `MAX_SAMPLE` in magnitude.

    Raises:
        ArgumentError: they are not.
    """
    if not isinstance(samples, np.ndarray) or samples.dtype != np.float32:
        kind = samples.dtype if isinstance(samples, np.ndarray) else type(samples).__name__
        raise ArgumentError(f"samples must be a float32 array in [-1, 1], not {kind}")
    if samples.ndim != 1:
        raise ArgumentError(f"samples must have one dimension (mono), not shape {samples.shape}")
    plain = np.asarray(samples)
    with np.errstate(over="ignore", invalid="ignore"):
        small = float(plain @ plain) <= MAX_SAMPLE**2  # then none is beyond it: a tenth of the time of a look at each
    if not small and not (np.abs(plain) <= MAX_SAMPLE).all():
        problem = f"samples must lie in [-1, 1], and some are NaN, infinite or beyond {MAX_SAMPLE}"
        raise ArgumentError(problem, "divide int16 values by 32768")
    return plain


def segment_count(samples: int) -> int:
    """How many segments, and so decisions, n samples at 16 kHz give: 1 + (n - 5360) // 960, none below 5360."""
    return 0 if samples < SEGMENT_SAMPLES else 1 + (samples - SEGMENT_SAMPLES) // HOP_SAMPLES


def segment_end_s(segment: int) -> float:
    """End of the k-th segment (from 0), and so the length of k + 1 segments, in seconds: 0.335 + 0.06 k."""
    return (SEGMENT_SAMPLES + segment * HOP_SAMPLES) / SAMPLE_RATE


def window_segments(window_s: float) -> int:
    """How many segments lie wholly within a window of so many seconds; at least one."""
    return max(1, segment_count(round(window_s * SAMPLE_RATE)))
