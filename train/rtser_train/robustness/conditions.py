"""The conditions: what happens to an utterance before the model hears it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial

import numpy as np
import soxr

from rtser.engine.contract import SAMPLE_RATE
from rtser.errors import InputError
from rtser_train.data.acoustics import (
    TELEPHONE_HZ,
    CodecName,
    Samples,
    at_level,
    band_limited,
    coded,
    in_room,
    telephone,
    with_noise,
)
from rtser_train.robustness.draws import Draw

LEVELS_DB = (-40, -30, -20, -10, 10, 20)
SNRS_DB = (20, 10, 5, 0)
SPEEDS = (0.9, 1.1)
LEADS_S = (0.5, 2.0)
SPEECH_S = (0.5, 1.0, 2.0, 3.0)
"""The seconds of speech after which an utterance is cut; all results are taken from the one clean stream."""
FAINT = 1e-3
"""RMS of faint noise: -60 dB."""

GROUPS = {
    "clean": "speech as it was recorded",
    "level": "louder and quieter, clipped to full scale",
    "noise": "with noise from recordings that were held out",
    "rooms": "in rooms",
    "codecs": "over the telephone, and through codecs",
    "speed": "slower and faster",
    "lead": "after a silence",
    "speech": "the first seconds of speech",
    "joined": "one utterance after another",
    "nonspeech": "sounds without speech",
}
"""The groups of --conditions, in words."""


@dataclass(frozen=True)
class Condition:
    """One condition.

    Attributes:
        name: short, as in file names.
        group: one of `GROUPS`.
        title: in words.
        alter: from samples (n,), float32, 16 kHz, n > 0, and a draw to the changed samples.
    """

    name: str
    group: str
    title: str
    alter: Callable[[Samples, Draw], Samples]


def _as_recorded(samples: Samples, _: Draw) -> Samples:
    return samples


def _level(gain_db: float, samples: Samples, _: Draw) -> Samples:
    return at_level(samples, gain_db)


def _noisy(snr_db: float, samples: Samples, draw: Draw) -> Samples:
    return with_noise(samples, draw.noise(len(samples)), snr_db)


def _room(samples: Samples, draw: Draw) -> Samples:
    return in_room(samples, draw.room())


def _band(samples: Samples, _: Draw) -> Samples:
    return band_limited(samples, *TELEPHONE_HZ)


def _call(samples: Samples, _: Draw) -> Samples:
    return telephone(samples)


def _coded(codec: CodecName, samples: Samples, _: Draw) -> Samples:
    return coded(samples, codec)


def at_speed(speed: float, samples: Samples, _: Draw) -> Samples:
    """Speech as a tape plays it at another speed: (n / speed,); the pitch goes up and down with it."""
    return np.asarray(soxr.resample(samples, SAMPLE_RATE * speed, SAMPLE_RATE), np.float32)


def after_silence(seconds: float, level: float, samples: Samples, draw: Draw) -> Samples:
    """Speech after white noise of an RMS of `level`, 0 for digital silence: (n + 16,000 x seconds,)."""
    lead = level * draw.rng.normal(size=round(seconds * SAMPLE_RATE))
    return np.concatenate([lead.astype(np.float32), samples])


CLEAN = Condition("clean", "clean", "as recorded", _as_recorded)
NOISE_OF_RELIABILITY = "noise-10"
"""The condition whose reliability is shown beside that of clean speech."""
CONDITIONS = (
    CLEAN,
    *(Condition(f"level{gain:+d}", "level", f"level {gain:+d} dB", partial(_level, gain)) for gain in LEVELS_DB),
    *(Condition(f"noise-{snr}", "noise", f"noise, {snr} dB SNR", partial(_noisy, snr)) for snr in SNRS_DB),
    Condition("room", "rooms", "in a room", _room),
    Condition("telephone-band", "codecs", "telephone band, 300 to 3400 Hz", _band),
    Condition("mu-law", "codecs", "telephone call: that band, 8 kHz, mu-law", _call),
    Condition("opus", "codecs", "Opus", partial(_coded, "opus")),
    Condition("mp3", "codecs", "MP3", partial(_coded, "mp3")),
    *(Condition(f"speed-{speed}", "speed", f"{speed} times the speed", partial(at_speed, speed)) for speed in SPEEDS),
    *(
        Condition(
            f"{name}-{seconds:g}", "lead", f"after {seconds:g} s of {words}", partial(after_silence, seconds, rms)
        )
        for name, words, rms in (("silence", "digital silence", 0.0), ("faint-noise", "faint noise (-60 dB)", FAINT))
        for seconds in LEADS_S
    ),
)
"""The conditions under which every utterance is streamed. All others are compared with the first, clean speech."""


def chosen_groups(names: str | None) -> list[str]:
    """The groups that a list with commas names, always with clean speech; all groups for None.

    Raises:
        InputError: there is no such group.
    """
    if names is None:
        return list(GROUPS)
    asked = {name.strip() for name in names.split(",") if name.strip()}
    unknown = sorted(asked - set(GROUPS))
    if unknown or not asked:
        raise InputError(f"--conditions {names}: there is no group {unknown[0] if unknown else ''!r}", _groups())
    return [name for name in GROUPS if name in asked or name == "clean"]


def _groups() -> str:
    return f"choose from {', '.join(GROUPS)}"


def conditions_of(groups: Collection[str]) -> list[Condition]:
    """The conditions of some groups, in order."""
    return [one for one in CONDITIONS if one.group in groups]
