"""Make the bundled sample, rtser/samples/demo.flac, with a speech synthesiser: no recording is copied.

    apt install espeak-ng && pip install '.[augment]'
    python tools/make_demo.py

espeak-ng speaks four sentences between silences, each in its own manner: Praat changes the formants, the median of the
pitch and its range. The manners were chosen so that the shipped model names the emotion of each sentence. So the sample
shows what the program does, and nothing about the quality of the model.
"""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
import soxr
from parselmouth import Sound
from parselmouth.praat import call, run

from rtser.engine.contract import SAMPLE_RATE

OUTPUT = Path(__file__).parents[1] / "rtser" / "samples" / "demo.flac"
PAUSE_S = 0.9
PITCH_HZ = (75.0, 600.0)


class Manner(NamedTuple):
    """How a sentence is spoken.

    Attributes:
        voice: voice of espeak-ng.
        words_a_minute: its speed.
        formants: factor of the formants.
        pitch_hz: median of the pitch.
        pitch_range: factor of the pitch's distance from its median.
        peak: largest sample.
    """

    voice: str
    words_a_minute: int
    formants: float
    pitch_hz: float
    pitch_range: float
    peak: float


SENTENCES = {
    "Good morning, this is a short demonstration of speech.": Manner("en-us+m1", 154, 1.12, 118, 0.8, 0.8),
    "No! I told you three times, and it is still broken!": Manner("en-us+m2", 151, 0.98, 196, 1.7, 0.9),
    "I am so sorry. I wish you could have been here.": Manner("en-us+m7", 95, 0.92, 181, 0.4, 0.35),
    "Really? You won? That is wonderful, congratulations!": Manner("en-us+m4", 167, 1.06, 388, 1.9, 0.8),
}


def speak(text: str, manner: Manner) -> np.ndarray:
    """One sentence, (n,), float32, 16 kHz."""
    command = ["espeak-ng", "--stdout", "-v", manner.voice, "-p", "50", "-s", str(manner.words_a_minute), "-a", "100"]
    wav = subprocess.run([*command, text], check=True, capture_output=True).stdout
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    sound = Sound(soxr.resample(samples, rate, SAMPLE_RATE).astype(np.float64), SAMPLE_RATE)
    run("random_initializeWithSeedUnsafelyButPredictably(0)")  # unvoiced parts are drawn at random
    changes = (manner.formants, manner.pitch_hz, manner.pitch_range, 1.0)
    spoken = call(sound, "Change gender", *PITCH_HZ, *changes).values[0].astype(np.float32)
    return spoken / np.abs(spoken).max() * np.float32(manner.peak)


def main() -> None:
    """Write the sample."""
    pause = np.zeros(round(PAUSE_S * SAMPLE_RATE), np.float32)
    parts = [pause]
    for text, manner in SENTENCES.items():
        parts += [speak(text, manner), pause]
    samples = np.concatenate(parts)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(OUTPUT, samples, SAMPLE_RATE, subtype="PCM_16")
    print(f"{OUTPUT}: {len(samples) / SAMPLE_RATE:.1f} s, peak {np.abs(samples).max():.2f}")


if __name__ == "__main__":
    main()
