"""Changed versions of an utterance's sound for training: other voices, rooms, microphones and codecs.

Voices change by Praat (parselmouth), rooms are simulated by pyroomacoustics; both belong to the extra ``augment``.
The timing of the speech stays the same, so the speech labels of the unchanged sound hold for every version.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from threading import Lock

import numpy as np
import soundfile

from rtser.engine.contract import SAMPLE_RATE
from rtser_train.data.acoustics import CONSTANTS, Samples, at_level, band_limited, coded, in_room, telephone
from rtser_train.data.cache import CACHE
from rtser_train.files import replacing
from rtser_train.settings import Waveform

ROOMS = 400
ROOM_LEAST_M, ROOM_MOST_M = (2.5, 2.5, 2.3), (10.0, 8.0, 4.0)
T60_S = (0.15, 0.9)
WALL_DISTANCE_M = 0.4
MOST_REFLECTIONS = 30
PITCH_HZ = (75.0, 600.0)
LOW_CUTS_HZ, HIGH_CUTS_HZ = (50.0, 400.0), (2_500.0, 8_000.0)
CLIP_DB = (3.0, 15.0)
COMPRESSION = (0.3, 1.0)
_PRAAT = Lock()
"""Praat has one random generator for the whole process."""


@cache
def recipe(settings: Waveform) -> bytes:
    """All that a version of the sound depends on, beside the sound and its key: settings, constants, libraries."""
    made_by = {name: version(name) for name in ("praat-parselmouth", "scipy", "soxr")}
    constants = [PITCH_HZ, LOW_CUTS_HZ, HIGH_CUTS_HZ, CLIP_DB, COMPRESSION, *CONSTANTS]
    parts = [settings.model_dump(), _room_recipe(), constants, made_by, soundfile.__libsndfile_version__]
    return json.dumps(parts, sort_keys=True).encode()


def changed(samples: Samples, settings: Waveform, key: Sequence[str]) -> Samples:
    """One version of an utterance, with each change at its probability; length and timing stay the same.

    Args:
        samples: (n,), float32, 16 kHz, -1..1.
        settings: the probabilities.
        key: all randomness follows from it, such as corpus, name and number of the version.
    """
    rng = np.random.default_rng(list(hashlib.sha256(json.dumps(key).encode()).digest()))
    if rng.random() < settings.voice_probability:
        samples = other_voice(samples, settings, rng)
    if rng.random() < settings.room_probability:
        responses = rooms()
        samples = in_room(samples, responses[rng.integers(len(responses))])
    if rng.random() < settings.band_probability:
        low, high = (float(np.exp(rng.uniform(*np.log(cuts)))) for cuts in (LOW_CUTS_HZ, HIGH_CUTS_HZ))
        samples = band_limited(samples, low, high)
    if rng.random() < settings.clip_probability:
        peak = float(np.abs(samples).max(initial=1e-6))
        samples = at_level(samples / np.float32(peak), rng.uniform(*CLIP_DB)) * np.float32(min(peak, 1.0))
    if rng.random() < settings.codec_probability:
        kind = rng.integers(3)
        compression = rng.uniform(*COMPRESSION)
        samples = telephone(samples) if kind == 0 else coded(samples, "opus" if kind == 1 else "mp3", compression)
    return samples


def other_voice(samples: Samples, settings: Waveform, rng: np.random.Generator) -> Samples:
    """The utterance in another voice: its formants and its median pitch are moved independently."""
    from parselmouth import PraatError, Sound
    from parselmouth.praat import call, run

    semitones = rng.uniform(-settings.pitch_semitones, settings.pitch_semitones)
    formants = 1 + rng.uniform(-settings.formants, settings.formants)
    sound, seed = Sound(samples.astype(np.float64), SAMPLE_RATE), rng.integers(2**31)
    with _PRAAT, warnings.catch_warnings():  # Praat warns of utterances without voiced segments, which stay as they are
        warnings.simplefilter("ignore")
        run(f"random_initializeWithSeedUnsafelyButPredictably({seed})")  # unvoiced parts are drawn at random
        try:
            pitch = sound.to_pitch(pitch_floor=PITCH_HZ[0], pitch_ceiling=PITCH_HZ[1]).selected_array["frequency"]
            median_hz = float(np.median(pitch[pitch > 0])) * 2 ** (semitones / 12) if (pitch > 0).any() else 0.0
            moved = call(sound, "Change gender", *PITCH_HZ, formants, median_hz, 1.0, 1.0).values[0]
        except PraatError:  # the sound is shorter than its windows
            return samples
    fitted = np.zeros(len(samples), np.float32)
    fitted[: len(moved)] = moved[: len(samples)]
    return fitted


@cache
def rooms() -> list[Samples]:
    """Impulse responses of simulated rooms, each (n,), kept in the cache."""
    kept = CACHE / "rooms" / f"{hashlib.sha256(_room_recipe().encode()).hexdigest()}.npz"
    if not kept.exists():
        rng = np.random.default_rng(0)
        with replacing(kept) as part:
            np.savez(part, *[_room(rng) for _ in range(ROOMS)])
    with np.load(kept) as arrays:
        return list(arrays.values())


def _room_recipe() -> str:
    constants = [ROOMS, ROOM_LEAST_M, ROOM_MOST_M, T60_S, WALL_DISTANCE_M, MOST_REFLECTIONS]
    return json.dumps([constants, version("pyroomacoustics")])


def _room(rng: np.random.Generator) -> Samples:
    """A shoe-box room by the image source method, with speaker and microphone anywhere in it."""
    import pyroomacoustics

    while True:
        size, t60_s = rng.uniform(ROOM_LEAST_M, ROOM_MOST_M), rng.uniform(*T60_S)
        try:
            absorption, order = pyroomacoustics.inverse_sabine(t60_s, size)
        except ValueError:  # no wall absorbs that much
            continue
        break
    material = pyroomacoustics.Material(absorption)
    room = pyroomacoustics.ShoeBox(size, SAMPLE_RATE, materials=material, max_order=min(order, MOST_REFLECTIONS))
    speaker, microphone = (rng.uniform(WALL_DISTANCE_M, size - WALL_DISTANCE_M) for _ in range(2))
    room.add_source(speaker)
    room.add_microphone(microphone)
    room.compute_rir()
    return np.asarray(room.rir[0][0], np.float32)
