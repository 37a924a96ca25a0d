"""The front-end: from samples to log-Mel frames. It is defined only here; training and export use it.

* samples: float32 in [-1, 1], 16 kHz, mono; no dither, no pre-emphasis, no DC removal, no normalisation
* frame: 400 samples (25 ms) every 160 (10 ms), not centred, not padded; symmetric Hann window
* spectrum: power of a 512-point DFT, as two matrix products (`FrontEnd`)
* filters: 64 triangles, equally spaced and linear on the HTK Mel scale ``1127 ln(1 + f / 700)`` from 20 Hz to
  8000 Hz, peak 1, no area normalisation (Kaldi's filterbank)
* log: natural, of ``max(energy, floor)``; the floor belongs to the model; the default is 2**-23 (Kaldi's)
"""

from __future__ import annotations

import hashlib
from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from rtser.engine.contract import FRAME_HOP_SAMPLES, FRAME_SAMPLES, HOP_FRAMES, LEAD_SAMPLES, MEL_BINS, SAMPLE_RATE
from rtser_train.settings import ENERGY_FLOOR, log_floor

DFT_POINTS = 512
LOW_HZ = 20.0
HIGH_HZ = 8_000.0
HALF = FRAME_SAMPLES // 2
BINS = np.arange(1, DFT_POINTS // 2)
"""Frequencies that a filter uses: all except 0 Hz and 8000 Hz."""
ROW = 40
"""Samples of a row: half frames, and the distances between their starts, are whole rows."""


def hertz_to_mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """HTK Mel of a frequency in Hz."""
    return 1127.0 * np.log1p(np.asarray(hertz, dtype=np.float64) / 700.0)


def mel_filterbank() -> NDArray[np.float64]:
    """The 64 triangular filters, shape (255, 64), values 0..1."""
    edges = np.linspace(hertz_to_mel(LOW_HZ), hertz_to_mel(HIGH_HZ), MEL_BINS + 2)
    bins = hertz_to_mel(BINS * SAMPLE_RATE / DFT_POINTS)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters: NDArray[np.float64] = np.maximum(0.0, np.minimum(rising, falling))
    return filters


def windowed_dft() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Half of the window times the cosines, and the sines, of the DFT about a frame's middle; (200, 255) each."""
    angle = 2 * np.pi / DFT_POINTS * np.outer(np.arange(HALF) - (FRAME_SAMPLES - 1) / 2, BINS)
    window = np.hanning(FRAME_SAMPLES)[:HALF, None]
    return window * np.cos(angle), window * np.sin(angle)


def rows_of_halves() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The rows of the first halves of the six frames, and of the reversed second halves; (30,) each.

    The former are rows of a hop's 240 + 960 samples, the latter of these samples in reverse.
    """
    starts = np.arange(HOP_FRAMES)[:, None] * FRAME_HOP_SAMPLES
    ends = (HOP_FRAMES - 1) * FRAME_HOP_SAMPLES - starts  # starts of the frames in reverse
    first, second = ((begin // ROW + np.arange(HALF // ROW)).ravel() for begin in (starts, ends))
    return first, second


class FrontEnd(nn.Module):
    """Log-Mel frames of samples. Reduced precision changes decisions: `log_mel` switches autocast off.

    A power spectrum does not change if the frame is shifted in time. About the frame's middle, the cosines of the DFT
    depend on the sum of the frame and its reverse, and the sines on the difference; the window is symmetric. So half a
    frame is multiplied by each, which is half the work of the DFT as one matrix.

    Args:
        floor: least energy of a Mel bin.
    """

    cosines: Tensor
    sines: Tensor
    filters: Tensor
    first: Tensor
    second: Tensor

    def __init__(self, floor: float = ENERGY_FLOOR) -> None:
        super().__init__()
        self.floor, self.log_floor = floor, log_floor(floor)
        for name, value in zip(("cosines", "sines"), windowed_dft(), strict=True):
            self.register_buffer(name, torch.from_numpy(value.astype(np.float32)), persistent=False)
        self.register_buffer("filters", torch.from_numpy(mel_filterbank().astype(np.float32)), persistent=False)
        for name, rows in zip(("first", "second"), rows_of_halves(), strict=True):
            self.register_buffer(name, torch.from_numpy(rows), persistent=False)

    def forward(self, samples: Tensor) -> Tensor:
        """Frames (B, 6, 64) of hops with the samples before them, (B, 240 + 960)."""
        first = self._halves(samples, self.first)
        second = self._halves(samples.flip(1), self.second)
        real, imaginary = (first + second) @ self.cosines, (first - second) @ self.sines
        return ((real * real + imaginary * imaginary) @ self.filters).clamp_min(self.floor).log()

    def _halves(self, samples: Tensor, rows: Tensor) -> Tensor:
        """Halves (B, 6, 200) of frames, row by row."""
        return samples.reshape(-1, samples.shape[1] // ROW, ROW).index_select(1, rows).reshape(-1, HOP_FRAMES, HALF)


def log_mel(samples: NDArray[np.float32], floor: float = ENERGY_FLOOR) -> NDArray[np.float32]:
    """Log-Mel of a whole recording: within rounding its stream's frames, except those that begin before the recording.

    Args:
        samples: shape (n,), float32 at 16 kHz.
        floor: least energy of a Mel bin.

    Returns:
        shape (2 + 6 h, 64), float32, where h = (n - 560) // 960 whole hops follow the first; (0, 64) below 560
        samples. Samples after the last whole hop are ignored.
    """
    hop, tail = HOP_FRAMES * FRAME_HOP_SAMPLES, FRAME_SAMPLES - FRAME_HOP_SAMPLES
    hops = (len(samples) + LEAD_SAMPLES) // hop
    if not hops:
        return np.empty((0, MEL_BINS), np.float32)
    padded = torch.cat([torch.zeros(tail + LEAD_SAMPLES), torch.from_numpy(samples)])
    blocks = padded[: tail + hops * hop].unfold(0, tail + hop, hop)
    with torch.no_grad(), torch.autocast("cpu", enabled=False):
        frames: NDArray[np.float32] = _front_end(floor)(blocks).flatten(0, 1)[HOP_FRAMES - 2 :].numpy()
    return frames


@cache
def fingerprint(floor: float = ENERGY_FLOOR) -> str:
    """A hash of the front-end's values; if they change, cached features are made again."""
    values = (*(value.numpy() for value in _front_end(floor).buffers()), np.array(floor))
    return hashlib.sha256(b"".join(value.tobytes() for value in values)).hexdigest()


@cache
def _front_end(floor: float) -> FrontEnd:
    return FrontEnd(floor)
