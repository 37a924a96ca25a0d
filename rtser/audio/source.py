"""Sources of sound: what a session reads from.

A source gives out chunks: float32 samples (n,), mono, 16 kHz, and a `Gap` in places where sound is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from rtser.audio.ring import Ring
from rtser.engine.contract import SAMPLE_RATE, Float32


@dataclass(frozen=True)
class Gap:
    """A place where sound is missing. What follows does not continue what came before.

    Attributes:
        state: ``lost``: the source is gone; ``open``: it is back; ``skipped``: its sound came too late.
        detail: why, in words.
        missing_samples: how much sound at 16 kHz is missing before the next block.
    """

    state: Literal["lost", "open", "skipped"]
    detail: str
    missing_samples: int = 0


Chunk = Float32 | Gap


class Source(Protocol):
    """What a session reads from.

    Attributes:
        name: in the events.
        sample_rate: the source's own, in Hz.
        trouble: what is wrong with the source now; empty while all is well.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def sample_rate(self) -> int: ...  # noqa: D102

    @property
    def trouble(self) -> str: ...  # noqa: D102

    def chunks(self) -> Iterator[Chunk]:
        """Give out the sound once, from its beginning to its end."""

    def lag_s(self) -> float | None:
        """How long ago, by the clock, the last sample given out was due; None if the source is not live."""


@dataclass(frozen=True)
class MemorySource:
    """Chunks that are at hand already (a `Source`)."""

    content: Iterable[Chunk]
    name: str = "in memory"
    sample_rate: int = SAMPLE_RATE
    trouble: str = ""

    def chunks(self) -> Iterator[Chunk]:
        """Give out the chunks."""
        return iter(self.content)

    def lag_s(self) -> None:
        """The source is not live."""


class CaptureDevice(Protocol):
    """An open device: its sound comes into a ring, at the device's own rate.

    Attributes:
        name: of the device.
        sample_rate: its own, in Hz.
        channels: of the frames in the ring.
        ring: where its sound waits.
    """

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
        """Close the device. This may hang if the sound server hangs."""


def split(block: Float32, samples: int) -> Iterator[Float32]:
    """A block (n,) in parts of at most so many samples."""
    return (block[start : start + samples] for start in range(0, len(block), samples))
