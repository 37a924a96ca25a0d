"""What a client may say on the WebSocket, and the codes with which the server closes it (see docs/serve.md)."""

from __future__ import annotations

from enum import IntEnum
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from rtser.errors import InputError, reworded

PATH = "/v1/stream"
"""The path of the WebSocket."""
MOST_NAME = 200
"""Letters of a stream's name."""
SUBPROTOCOL = "rtser.v1"
"""The WebSocket's subprotocol."""
TOKEN_PREFIX = "rtser.token."
"""Browsers cannot set headers. They offer this, followed by the token, as a second subprotocol."""
MOST_TYPE = 40
"""How much of a wrong type an error repeats."""
MOST_QUOTED = 200
"""How much of a client's message an error repeats."""
PCM: dict[str, np.dtype[Any]] = {"s16le": np.dtype("<i2"), "f32le": np.dtype("<f4")}


class Close(IntEnum):
    """Why the server ends a connection (RFC 6455, section 7.4)."""

    DONE = 1000
    GOING_AWAY = 1001
    UNSUPPORTED = 1003
    INVALID = 1007
    POLICY = 1008
    TOO_BIG = 1009
    FAILED = 1011
    FULL = 1013


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Start(_Message):
    """Sound follows, as binary messages of any length; each channel becomes a stream of its own."""

    type: Literal["start"]
    format: Literal["s16le", "f32le"] = Field("s16le", description="of a sample: 16 bit, or float in [-1, 1]")
    rate: Annotated[int, Field(ge=8_000, le=48_000)] = Field(16_000, description="samples a second")
    channels: Annotated[int, Field(ge=1, le=64)] = Field(1, description="interleaved")
    events: Literal["decisions", "utterances"] = Field(
        "decisions", description="decisions and utterances, or utterances only"
    )
    every_ms: Annotated[int, Field(ge=0, le=60_000)] = Field(
        0, description="at most one decision in so many milliseconds of sound; 0: all"
    )
    name: Annotated[str, Field(max_length=MOST_NAME)] = Field("stream", description="in the start event, as its source")
    time: Annotated[float, Field(ge=0, le=10**7)] = Field(
        0.0, description="time of the first sample in seconds, for a client that goes on after a break"
    )


class Finalize(_Message):
    """The sound has ended: the last events follow. Then another start may come."""

    type: Literal["finalize"]


class Reset(_Message):
    """The sound that follows does not continue the sound before, as after a break. Time goes on."""

    type: Literal["reset"]
    missing_s: Annotated[float, Field(ge=0, le=10**7)] = Field(
        0.0, description="seconds of sound that are missing in between"
    )


Control = Annotated[Start | Finalize | Reset, Field(discriminator="type")]
CONTROL: TypeAdapter[Start | Finalize | Reset] = TypeAdapter(Control)


def parsed(text: str) -> Start | Finalize | Reset:
    """A control message; raises InputError if the text is not one."""
    try:
        return CONTROL.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        problem, advice = _reason(first)
        printable = "".join(one if one.isprintable() else repr(one)[1:-1] for one in problem[:MOST_QUOTED])
        raise InputError(printable, advice) from None


def _reason(found: Any) -> tuple[str, str]:
    """What is wrong with a message, and what to do, from the first thing that pydantic found."""
    if found["type"] == "union_tag_invalid":
        return (
            f"there is no message of type {found['ctx']['tag'][:MOST_TYPE]!r}",
            "its type is start, finalize or reset",
        )
    if not found["loc"]:
        why = "it has no type" if found["type"] == "union_tag_not_found" else found["msg"]
        return f"this is no control message ({why})", "send a JSON object whose type is start, finalize or reset"
    kind, key = str(found["loc"][0]), ".".join(map(str, found["loc"][1:]))
    messages: dict[str, type[BaseModel]] = {"start": Start, "finalize": Finalize, "reset": Reset}
    message = messages[kind]
    if found["type"] == "extra_forbidden":
        return f"{kind} has no key {key}", f"its keys are {', '.join(message.model_fields)}"
    limits = message.model_fields[key].metadata
    low, high = ([getattr(one, name) for one in limits if hasattr(one, name)] for name in ("ge", "le"))
    if low and high:
        return f"{kind}: {key} must be {low[0]} to {high[0]}", ""
    return f"{kind}: {key}: {reworded(found['msg'])}", ""
