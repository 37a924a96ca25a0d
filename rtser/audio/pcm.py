"""Converts samples as programs hold them, PCM bytes and arrays of several types, to float32 in [-1, 1]."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtser.audio.file import check_rate
from rtser.engine.contract import Float32
from rtser.errors import ArgumentError

Sound = bytes | bytearray | memoryview | NDArray[Any]
"""PCM bytes (16 bit, little-endian), or an array of int16, float32 or float64."""
FULL_SCALE = 32_768
PCM16 = np.dtype("<i2")
MOST_CHANNELS = 256


def check_format(sample_rate: int, channels: int, channel: int | None) -> None:
    """Check what a caller says of its sound.

    Args:
        sample_rate: in Hz.
        channels: how many there are.
        channel: which one is used, counted from 0; None for the mean of all.

    Raises:
        ArgumentError: one of them is not a whole number, or is out of range.
    """
    given = {"sample_rate": sample_rate, "channels": channels, "channel": 0 if channel is None else channel}
    for name, value in given.items():
        if not isinstance(value, Integral):
            raise ArgumentError(f"{name} must be a whole number, not {value!r}")
    if problem := check_rate(sample_rate):
        raise ArgumentError(problem)
    if not 1 <= channels <= MOST_CHANNELS:
        raise ArgumentError(f"there must be 1 to {MOST_CHANNELS} channels, not {channels}", "samples are (n, channels)")
    if channel is not None and not 0 <= channel < channels:
        raise ArgumentError(f"there is no channel {channel} of {channels}, counted from 0")


def to_frames(sound: Sound, channels: int, pcm: np.dtype[Any] = PCM16) -> Float32:
    """Frames (n, channels), float32 in [-1, 1].

    Args:
        sound: bytes and arrays (n * channels,) are interleaved; an array may also have the shape (n, channels).
        channels: how many.
        pcm: what a sample is, if the sound is bytes.

    Raises:
        ArgumentError: another type or shape, or not a whole number of frames.
    """
    if isinstance(sound, bytes | bytearray | memoryview):
        content = _content(sound)
        if len(content) % pcm.itemsize:
            problem = f"a sample has {pcm.itemsize} bytes, and {len(content)} bytes are no whole number of them"
            raise ArgumentError(problem)
        sound = np.frombuffer(content, pcm)
    if not isinstance(sound, np.ndarray) or sound.dtype not in (np.int16, np.float32, np.float64):
        kind = sound.dtype if isinstance(sound, np.ndarray) else type(sound).__name__
        raise ArgumentError(f"samples must be int16, float32 or float64 arrays, or PCM bytes, not {kind}")
    if not (sound.ndim == 1 and len(sound) % channels == 0) and (sound.ndim != 2 or sound.shape[1] != channels):
        raise ArgumentError(f"samples of {channels} channels must have the shape (n, {channels}), not {sound.shape}")
    frames = np.asarray(sound).reshape(-1, channels)
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite, and is refused as such
        floats = frames.astype(np.float32)
    return floats / np.float32(FULL_SCALE) if frames.dtype == np.int16 else floats


class FrameJoiner:
    """`to_frames` for sound that comes in parts. PCM bytes may be cut anywhere, in the middle of a sample too.

    Args:
        channels: how many channels the sound has.
        pcm: what a sample is, if the sound is bytes.
    """

    def __init__(self, channels: int, pcm: np.dtype[Any] = PCM16) -> None:
        self._channels, self._pcm, self._rest = channels, pcm, b""

    def anew(self) -> FrameJoiner:
        """A new one, for sound that does not continue what came before."""
        return FrameJoiner(self._channels, self._pcm)

    def join(self, sound: Sound) -> Float32:
        """The whole frames (n, channels) up to the end of this part. The bytes of half a frame wait for the next part.

        Raises:
            ArgumentError: see `to_frames`; or an array comes while bytes wait. You can go on with another part.
        """
        if not isinstance(sound, bytes | bytearray | memoryview):
            if self._rest:
                problem = "the bytes before ended in the middle of a frame, which an array cannot continue"
                raise ArgumentError(problem, "push the other bytes of the frame first, or call reset()")
            return to_frames(sound, self._channels, self._pcm)
        content = self._rest + _content(sound)
        whole = len(content) - len(content) % (self._pcm.itemsize * self._channels)
        self._rest = content[whole:]
        return to_frames(content[:whole], self._channels, self._pcm)


def _content(sound: bytes | bytearray | memoryview) -> bytes:
    """The bytes themselves; raises ArgumentError if a view's elements are something else."""
    if isinstance(sound, memoryview) and sound.itemsize != 1:
        raise ArgumentError(f"a memoryview must be one of bytes, not of format {sound.format!r}", "use .cast('B')")
    return bytes(sound)
