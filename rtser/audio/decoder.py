"""A decoder gives an audio file's frames, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from rtser.engine.contract import Float32


class UnreadableError(Exception):
    """A decoder cannot open a file or read on. The text is the reason."""


class Decoder(Protocol):
    """An open audio file.

    Attributes:
        sample_rate: in Hz.
        channels: how many.
        frames: how many its header states; None if it does not know.
    """

    sample_rate: int
    channels: int
    frames: int | None

    def blocks(self, most: int) -> Iterator[Float32]:
        """The frames once, in blocks (n, channels), float32, n <= `most`.

        Raises:
            UnreadableError: the file is damaged from here on.
        """

    def missing(self, frames_read: int) -> str | None:
        """What is missing of the file if its end came after so many frames, in words; None if nothing is."""

    def close(self) -> None:
        """Close the file."""
