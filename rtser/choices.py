"""Choices that settings and the command line share. Nothing is imported here, so that the command line starts fast."""

from __future__ import annotations

from typing import Literal

Provider = Literal["auto", "cpu", "cuda"]
"""Where the network runs."""
SampleFormat = Literal["s16le", "s16be", "s32le", "f32le", "mulaw", "alaw"]
"""What samples without a header are, as FFmpeg names it."""
