"""Make the bundled sample, rtser/samples/demo.flac, with the speech synthesiser espeak-ng: no recording is copied.

    apt install espeak-ng
    python tools/make_demo.py

Four sentences in four manners of speaking (pitch, speed and loudness), between silences.
"""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import numpy as np
import soundfile
import soxr

from rtser.engine.contract import SAMPLE_RATE

OUTPUT = Path(__file__).parents[1] / "rtser" / "samples" / "demo.flac"
PAUSE_S = 0.9
SENTENCES = [
    # voice, pitch 0..99, words a minute, loudness 0..200, text
    ("en-us+f3", 45, 150, 80, "Good morning, this is a short demonstration of speech."),
    ("en-us+m3", 80, 230, 190, "No! I told you three times, and it is still broken!"),
    ("en-us+f2", 20, 105, 45, "I am so sorry. I wish you could have been here."),
    ("en-us+f4", 95, 190, 130, "Really? You won? That is wonderful, congratulations!"),
]


def speak(voice: str, pitch: int, words_a_minute: int, loudness: int, text: str) -> np.ndarray:
    """One sentence, (n,), float32, 16 kHz."""
    command = ["espeak-ng", "--stdout", "-v", voice, "-p", str(pitch), "-s", str(words_a_minute), "-a", str(loudness)]
    wav = subprocess.run([*command, text], check=True, capture_output=True).stdout
    samples, rate = soundfile.read(io.BytesIO(wav), dtype="float32")
    return soxr.resample(samples, rate, SAMPLE_RATE)


def main() -> None:
    """Write the sample."""
    pause = np.zeros(round(PAUSE_S * SAMPLE_RATE), np.float32)
    parts = [pause]
    for sentence in SENTENCES:
        parts += [speak(*sentence), pause]
    samples = np.concatenate(parts)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(OUTPUT, samples, SAMPLE_RATE, subtype="PCM_16")
    print(f"{OUTPUT}: {len(samples) / SAMPLE_RATE:.1f} s, peak {np.abs(samples).max():.2f}")


if __name__ == "__main__":
    main()
