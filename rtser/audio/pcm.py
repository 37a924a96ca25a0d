"""Samples as programs hold them, PCM bytes and arrays of several types, to float32 in [-1, 1]."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtser.engine.contract import Float32
from rtser.errors import ArgumentError

Sound = bytes | bytearray | memoryview | NDArray[Any]
"""PCM bytes (16 bit, little-endian), or an array of int16, float32 or float64."""
FULL_SCALE = 32_768


def to_frames(sound: Sound, channels: int) -> Float32:
    """Frames (n, channels), float32 in [-1, 1].

    Args:
        sound: bytes and arrays (n * channels,) are interleaved; an array may also have the shape (n, channels).
        channels: how many.

    Raises:
        ArgumentError: another type or shape, or no whole number of frames.
    """
    if isinstance(sound, bytes | bytearray | memoryview):
        if len(sound) % 2:
            raise ArgumentError("16-bit PCM has two bytes a sample, and these bytes are an odd number")
        sound = np.frombuffer(sound, "<i2")
    if not isinstance(sound, np.ndarray) or sound.dtype not in (np.int16, np.float32, np.float64):
        kind = sound.dtype if isinstance(sound, np.ndarray) else type(sound).__name__
        raise ArgumentError(f"samples must be int16, float32 or float64 arrays, or PCM bytes, not {kind}")
    if not (sound.ndim == 1 and len(sound) % channels == 0) and (sound.ndim != 2 or sound.shape[1] != channels):
        raise ArgumentError(f"samples of {channels} channels must have the shape (n, {channels}), not {sound.shape}")
    frames = sound.reshape(-1, channels)
    if sound.dtype == np.int16:
        return frames.astype(np.float32) / np.float32(FULL_SCALE)
    return frames.astype(np.float32)
