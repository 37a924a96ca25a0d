"""Changes of the sound of speech: rooms, telephones, codecs, noise, levels.

All functions take and return samples of shape (n,), float32, 16 kHz. Length and timing stay the same: what is said at
one sample is still said there. Codecs are those of libsndfile, filters of SciPy, resampling of soxr.
"""

from __future__ import annotations

from io import BytesIO
from typing import Literal, NamedTuple

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from rtser.engine.contract import SAMPLE_RATE

Samples = NDArray[np.float32]
CodecName = Literal["mu-law", "opus", "mp3"]

TELEPHONE_HZ = (300.0, 3_400.0)
TELEPHONE_RATE = 8_000
FILTER_ORDER = 4
PEAK = 0.99
"""The largest sample given to a codec; beyond 1 the codec would clip."""


class Codec(NamedTuple):
    """A codec of libsndfile.

    Attributes:
        container: its name in libsndfile.
        subtype: its name in libsndfile.
        rate: its sample rate, in Hz.
    """

    container: str
    subtype: str
    rate: int = SAMPLE_RATE


CODECS: dict[CodecName, Codec] = {
    "mu-law": Codec("WAV", "ULAW", TELEPHONE_RATE),
    "opus": Codec("OGG", "OPUS"),
    "mp3": Codec("MP3", "MPEG_LAYER_III"),
}
CONSTANTS = (TELEPHONE_HZ, FILTER_ORDER, PEAK, CODECS)
"""What the sounds made here depend on, besides arguments and libraries; part of the key of cached results."""


def at_level(samples: Samples, gain_db: float) -> Samples:
    """The samples times a gain in dB, clipped to [-1, 1]."""
    return np.asarray(np.clip(samples * np.float32(10 ** (gain_db / 20)), -1.0, 1.0), np.float32)


def with_noise(samples: Samples, noise: Samples, snr_db: float) -> Samples:
    """Speech with noise at a power of `snr_db` below that of the speech, clipped to [-1, 1].

    The noise is repeated, or cut, to the length of the speech. Both powers are means over all samples, before the
    clipping. Silent noise changes nothing.
    """
    fitted = np.resize(noise, len(samples))
    power, noise_power = (float(np.mean(np.square(one, dtype=np.float64))) for one in (samples, fitted))
    if not noise_power:
        return samples
    mixed = samples + fitted * np.float32(np.sqrt(power / noise_power * 10 ** (-snr_db / 10)))
    return np.asarray(np.clip(mixed, -1.0, 1.0), np.float32)


def in_room(samples: Samples, response: Samples) -> Samples:
    """Speech in a room, at its original level, from the arrival of the direct sound.

    Args:
        samples: the speech.
        response: the room's impulse response, (m,), 16 kHz.
    """
    arrival = int(np.abs(response).argmax())
    heard = fftconvolve(samples, response)[arrival : arrival + len(samples)]
    before, after = (float(np.sqrt(np.mean(np.square(one, dtype=np.float64)))) for one in (samples, heard))
    return np.asarray(heard * (before / after if after else 1.0), np.float32)


def band_limited(samples: Samples, low_hz: float, high_hz: float) -> Samples:
    """Speech through a Butterworth band pass, 24 dB per octave; from a `high_hz` of 8 kHz on, a high pass."""
    high_pass = sosfilt(butter(FILTER_ORDER, low_hz, "highpass", fs=SAMPLE_RATE, output="sos"), samples)
    if high_hz >= SAMPLE_RATE / 2:
        return np.asarray(high_pass, np.float32)
    filters = butter(FILTER_ORDER, high_hz, "lowpass", fs=SAMPLE_RATE, output="sos")
    return np.asarray(sosfilt(filters, high_pass), np.float32)


def coded(samples: Samples, name: CodecName, compression: float = 0.5) -> Samples:
    """Speech that was coded and decoded again.

    Args:
        samples: the speech.
        name: mu-law (at 8 kHz), opus or mp3.
        compression: of opus and mp3, 0 (most bits) to 1 (fewest).
    """
    codec = CODECS[name]
    peak = float(np.abs(samples).max(initial=0.0))
    gain = PEAK / peak if peak > PEAK else 1.0
    given = soxr.resample(samples * np.float32(gain), SAMPLE_RATE, codec.rate)
    file = BytesIO()
    level = {} if name == "mu-law" else {"compression_level": compression}
    soundfile.write(file, given, codec.rate, format=codec.container, subtype=codec.subtype, **level)
    file.seek(0)
    decoded, rate = soundfile.read(file, dtype="float32")
    decoded = soxr.resample(decoded, rate, SAMPLE_RATE)[: len(samples)] / np.float32(gain)
    return np.asarray(np.pad(decoded, (0, len(samples) - len(decoded))), np.float32)


def telephone(samples: Samples) -> Samples:
    """A narrow-band telephone call: 300 to 3400 Hz, 8 kHz, mu-law."""
    return coded(band_limited(samples, *TELEPHONE_HZ), "mu-law")
