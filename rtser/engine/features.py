"""The log-Mel spectrogram hop by hop, and the arithmetic of hops and segments.

Definition (everything a second implementation needs):

* samples: float32 in [-1, 1], 16 kHz, mono; no dither, no pre-emphasis, no DC removal, no normalisation
* frame: 400 samples (25 ms) every 160 (10 ms), not centred, not padded; symmetric Hann window
* spectrum: power of a 512-point FFT
* filters: 64 triangles, equally spaced and linear on the HTK Mel scale ``1127 ln(1 + f / 700)`` from 20 Hz to
  8000 Hz, peak 1, no area normalisation (Kaldi's filterbank)
* log: natural, of ``max(energy, 2**-23)``

Frames are always computed in the same blocks: one block of 2 frames (560 samples), then blocks of 6 frames (960 new
samples each, 240 kept from before). A block's bits depend on its own samples alone, so any chunking of a stream, any
number of streams side by side and a whole file at once (`rtser.offline`) give identical features.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from rtser.errors import ArgumentError

Float32 = NDArray[np.float32]

SAMPLE_RATE = 16_000
FRAME_SAMPLES = 400
FRAME_HOP_SAMPLES = 160
FFT_POINTS = 512
MEL_BINS = 64
LOW_HZ = 20.0
HIGH_HZ = 8_000.0
ENERGY_FLOOR = 2.0**-23
LOG_FLOOR = float(np.log(np.float32(ENERGY_FLOOR)))

HOP_FRAMES = 6
HOP_SAMPLES = HOP_FRAMES * FRAME_HOP_SAMPLES  # 960: 60 ms
FIRST_HOP_SAMPLES = FRAME_SAMPLES + FRAME_HOP_SAMPLES  # 560: 2 frames
MAX_SAMPLE = 1e6  # full scale is 1; samples far beyond overflow float32
TAIL_SAMPLES = FRAME_SAMPLES - FRAME_HOP_SAMPLES  # 240: what a stream keeps between hops
SEGMENT_FRAMES = 32
SEGMENT_SAMPLES = FRAME_SAMPLES + (SEGMENT_FRAMES - 1) * FRAME_HOP_SAMPLES  # 5360: 335 ms

SPECIFICATION: dict[str, float | int | str] = {
    "kind": "log-mel", "sample_rate": SAMPLE_RATE, "frame_samples": FRAME_SAMPLES, "window": "hann, symmetric",
    "frame_hop_samples": FRAME_HOP_SAMPLES, "fft_points": FFT_POINTS, "spectrum": "power", "mel_bins": MEL_BINS,
    "mel_scale": "htk", "mel_shape": "triangles on the mel axis, peak 1", "low_hz": LOW_HZ, "high_hz": HIGH_HZ,
    "log": "natural", "energy_floor": ENERGY_FLOOR, "segment_frames": SEGMENT_FRAMES, "hop_frames": HOP_FRAMES,
}  # fmt: skip  # what a model file must say of its features


def hertz_to_mel(hertz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """HTK Mel of a frequency in Hz."""
    return 1127.0 * np.log1p(np.asarray(hertz, dtype=np.float64) / 700.0)


def mel_filterbank() -> Float32:
    """The 64 triangular filters, shape (257, 64), float32, values 0..1."""
    edges = np.linspace(hertz_to_mel(LOW_HZ), hertz_to_mel(HIGH_HZ), MEL_BINS + 2)
    bins = hertz_to_mel(np.arange(FFT_POINTS // 2 + 1) * SAMPLE_RATE / FFT_POINTS)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.maximum(0.0, np.minimum(rising, falling)).astype(np.float32)


_WINDOW = np.hanning(FRAME_SAMPLES).astype(np.float32)
_FILTERS = mel_filterbank()


def block_log_mel(samples: Float32) -> Float32:
    """Log-Mel (..., f, 64), float32, of blocks of samples (..., 400 + 160 (f - 1)), float32, each on its own."""
    frames = sliding_window_view(samples, FRAME_SAMPLES, axis=-1)[..., ::FRAME_HOP_SAMPLES, :] * _WINDOW
    spectrum = np.fft.rfft(frames, FFT_POINTS)
    power = spectrum.real**2 + spectrum.imag**2
    logs: Float32 = np.log(np.maximum(np.matmul(power, _FILTERS), np.float32(ENERGY_FLOOR)))
    return logs


def checked_samples(samples: Float32) -> Float32:
    """The samples as a plain array, shape (n,), float32, each a number of at most `MAX_SAMPLE` in magnitude.

    Raises:
        ArgumentError: they are not.
    """
    if not isinstance(samples, np.ndarray) or samples.dtype != np.float32:
        kind = samples.dtype if isinstance(samples, np.ndarray) else type(samples).__name__
        raise ArgumentError(f"samples must be a float32 array in [-1, 1], not {kind}")
    if samples.ndim != 1:
        raise ArgumentError(f"samples must have one dimension (mono), not shape {samples.shape}")
    plain = np.asarray(samples)
    if not (np.abs(plain) <= MAX_SAMPLE).all():
        raise ArgumentError("samples hold NaN, infinite or huge values (full scale is 1)")
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
