"""The model contract, version 1: what a model file holds, and what it says of itself.

One ONNX graph is one step of B streams. K emotions, W segments in the window, all float32:

* in ``segment`` (B, 32, 64) log-Mel; ``gate`` (B,) 0..1; ``state_*`` (B, W, ...), zeros at the start
* out ``emotions`` (B, K) and ``segment_emotions`` (B, K) probabilities; ``speech`` (B,) and ``salience`` (B,) 0..1;
  ``state_*_next`` shaped as ``state_*``
* metadata ``rtser``: JSON, see `Metadata`
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rtser.engine.features import SPECIFICATION
from rtser.errors import ModelError

CONTRACT_VERSION = 1
METADATA_KEY = "rtser"
MAX_WINDOW = 60_000  # in segments: an hour
OUTPUTS = ("emotions", "segment_emotions", "speech", "salience")


class Metadata(BaseModel):
    """What a model file says of itself; in a file of contract 1, `label_threshold` is called ``min_confidence``."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    contract: int = Field(description="version of the contract")
    name: str = Field(description="name of the model")
    labels: tuple[str, ...] = Field(min_length=1, description="the K emotions, in the order of the outputs")
    features: dict[str, int | float | str] = Field(description="must equal `rtser.engine.features.SPECIFICATION`")
    window: int = Field(ge=1, le=MAX_WINDOW, description="default window in segments")
    label_threshold: float = Field(alias="min_confidence", ge=0, le=1, description="below it a decision has no label")
    architecture: str = Field(description="one line")
    corpora: tuple[str, ...] = Field(description="what it was trained on")
    licence: str = Field(description="of the weights")
    calibration: dict[str, Any] = Field({}, description="how the probabilities were calibrated")
    measures: dict[str, Any] = Field({}, description="what was measured, each with its protocol")
    limits: str = Field("", description="what it must not be trusted with, in words")

    def to_json(self) -> str:
        """The text stored in the file under `METADATA_KEY`."""
        return json.dumps(self.model_dump(by_alias=True), sort_keys=True)

    @staticmethod
    def from_json(text: str) -> Metadata:
        """Read and check the text; raises ModelError that names what is wrong."""
        try:
            contract = json.loads(text)["contract"]
            if contract != CONTRACT_VERSION:
                problem = f"it follows version {contract} of the model contract and this rtser reads {CONTRACT_VERSION}"
                raise ModelError(problem, "use the rtser release that exported it, or export it again")
            metadata = Metadata.model_validate_json(text)
            if len(set(metadata.labels)) < len(metadata.labels):
                raise ValueError("a label stands twice")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            reason = str(error)
            if isinstance(error, ValidationError):
                first = error.errors()[0]
                reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise ModelError(f"its rtser metadata cannot be read ({reason})", "export it again") from None
        names = SPECIFICATION.keys() | metadata.features.keys()
        if differing := sorted(name for name in names if SPECIFICATION.get(name) != metadata.features.get(name)):
            problem = f"it was trained on other features ({', '.join(differing)} differ)"
            raise ModelError(problem, "train it again with this version of rtser")
        return metadata
