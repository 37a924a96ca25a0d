"""A corpus of a few seconds, noise and rooms, for tests of measuring: slices of the bundled synthetic speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
from rtser_train.data.corpora import Recording

from rtser.audio.file import read_audio, sample_path
from rtser.engine.contract import SAMPLE_RATE

SPEAKERS = {"ann": "f", "bob": "m", "cem": "m"}
EMOTIONS = ("angry", "calm", "sad")
LENGTH_S = 1.4


def write(path: Path, samples) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(path, samples, SAMPLE_RATE, subtype="FLOAT")
    return path


def small_corpus(folder: Path, speakers=tuple(SPEAKERS), each=2) -> Path:
    """A table of utterances: for each speaker and emotion so many; the speech starts elsewhere in each."""
    voice = read_audio(sample_path())
    rows, at = ["path,emotion,speaker,sex"], 0
    for speaker in speakers:
        for emotion in EMOTIONS:
            for take in range(each):
                name = f"{speaker}-{emotion}-{take}.wav"
                start = 3_000 * at % (len(voice) - round(LENGTH_S * SAMPLE_RATE))
                write(folder / name, voice[start : start + round(LENGTH_S * SAMPLE_RATE)])
                rows.append(f"{name},{emotion},{speaker},{SPEAKERS[speaker]}")
                at += 1
    table = folder / "table.csv"
    table.write_text("\n".join(rows) + "\n")
    return table


def small_noise(folder: Path, files=20) -> Path:
    """Noise recordings under the names of ESC-50: some are held out."""
    for number in range(files):
        write(folder / f"1-{number}-A.wav", np.random.default_rng(number).normal(0, 0.05, SAMPLE_RATE))
    return folder


def small_rooms(folder: Path) -> Path:
    """Two impulse responses."""
    for number in range(2):
        response = np.zeros(1_600)
        response[80 * (number + 1)] = 1
        response[800:] = np.random.default_rng(number).normal(0, 0.02, 800)
        write(folder / f"room-{number}.wav", response)
    return folder


def spoken(name="a.wav", emotion="angry", speaker="ann", sex="", corpus="mine"):
    return Recording(Path(name), corpus, speaker, emotion, "", sex=sex)
