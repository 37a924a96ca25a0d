"""Measure how often a model names an emotion in sound without speech.

    python tools/measure_nonspeech.py FOLDER [FOLDER ...] [--model MODEL] [--set decide.onset_s=0.3]

Prints a Markdown table with a row for digital silence, faint noise, tones, and each folder of audio: false alarms (the
number of new labels), false alarms per hour, and the share of segments that count as speech. Every file is a separate
stream.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from rtser_train.data.corpora.recording import audio_files
from rtser_train.evaluation.nonspeech import false_alarms

import rtser
from rtser.audio.file import read_audio
from rtser.engine.contract import SAMPLE_RATE, Float32
from rtser.settings import ListenSettings, checked, read_settings

MINUTES = 10
TONES_HZ = (50, 100, 220, 440, 1000, 2000, 3000)


def made() -> dict[str, list[Float32]]:
    """Generated sounds, ten minutes of each kind."""
    samples = MINUTES * 60 * SAMPLE_RATE
    faint = np.random.default_rng(0).normal(0, 1e-3, samples).astype(np.float32)
    time_s = np.arange(samples // len(TONES_HZ)) / SAMPLE_RATE
    swell = 0.3 * np.sin(np.pi * 0.25 * time_s) ** 2
    tones = [(swell * np.sin(2 * np.pi * hertz * time_s)).astype(np.float32) for hertz in TONES_HZ]
    return {"digital silence": [np.zeros(samples, np.float32)], "faint white noise (-60 dB)": [faint], "tones": tones}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--model", type=Path, help="model file; the shipped one if not named")
    parser.add_argument("--set", action="append", default=[], help="key=value: a setting of rtser listen; repeatable")
    options = parser.parse_args()
    settings = checked(ListenSettings, read_settings(None, options.set), "--set")
    model = rtser.load(options.model)
    print("| sound | files | minutes | false alarms | an hour | taken for speech % |\n|---|---|---|---|---|---|")
    rows: list[tuple[str, Iterable[Float32]]] = list(made().items())
    for folder in sorted({path.parent for root in options.folders for path in audio_files(root)}):
        paths = [path for path in audio_files(folder) if path.parent == folder]
        rows.append((folder.name, map(read_audio, paths)))
    for name, streams in rows:
        found = false_alarms(model, settings, streams)
        counted = f"{found.files} | {60 * found.hours:.1f} | {found.alarms} | {found.an_hour:.1f}"
        print(f"| {name} | {counted} | {100 * found.taken_share:.1f} |")


if __name__ == "__main__":
    main()
