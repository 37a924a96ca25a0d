"""Measure how often a model names an emotion where nobody speaks.

    python tools/measure_nonspeech.py FOLDER [FOLDER ...] [--model MODEL]

Prints a Markdown table with a row for each folder that holds audio: the share of decisions that name an emotion, and
the share of segments taken for speech.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import rtser
from rtser.sources.file import read_audio
from train.corpora.utterance import audio_files


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--model", help="model file; the shipped one if not named")
    options = parser.parse_args()
    model = rtser.load(options.model)
    print("| folder | files | decisions | naming an emotion % | segments taken for speech % |\n|---|---|---|---|---|")
    for folder in sorted({path.parent for root in options.folders for path in audio_files(root)}):
        paths = [path for path in audio_files(folder) if path.parent == folder]
        decisions = [decision for path in paths for decision in rtser.Stream(model).push(read_audio(path))]
        named = 100 * np.mean([decision.label is not None for decision in decisions])
        speech = 100 * np.mean([decision.speech > 0.5 for decision in decisions])
        print(f"| {folder.name} | {len(paths)} | {len(decisions)} | {named:.1f} | {speech:.1f} |")


if __name__ == "__main__":
    main()
