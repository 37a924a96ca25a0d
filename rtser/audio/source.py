"""Where samples come from: each source yields float32 blocks, mono, 16 kHz, and a `Break` where sound is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from rtser.audio.ring import Ring
from rtser.engine.features import Float32


@dataclass(frozen=True)
class Break:
    """A place in a live source where the sound does not go on; what was heard before it says nothing of what follows.

    Attributes:
        state: ``lost``: the source has gone; ``open``: it is back; ``skipped``: it is there, but was heard too late.
        detail: why, in words.
        missing_samples: of sound at 16 kHz that nobody heard, up to the next block.
    """

    state: Literal["lost", "open", "skipped"]
    detail: str
    missing_samples: int = 0


Piece = Float32 | Break


class LiveSource(Protocol):
    """A device that is open: its sound comes into a ring, at its own rate."""

    name: str
    sample_rate: int
    channels: int
    ring: Ring

    @property
    def ended(self) -> bool:
        """Whether the device itself says that no more sound will come."""

    def wait(self, timeout_s: float) -> None:
        """Return once there may be new sound in the ring, or after so many seconds."""

    def close(self) -> None:
        """Let the device go. May hang where the sound server does."""
