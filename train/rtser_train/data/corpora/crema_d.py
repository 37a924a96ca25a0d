"""CREMA-D: ``AudioWAV/1001_DFA_ANG_XX.wav`` = speaker 1001, sentence DFA, emotion ANG, intensity XX."""

from __future__ import annotations

import re
from pathlib import Path

from rtser_train.data.corpora.recording import Recording, named_files

NAME = re.compile(r"(?P<speaker>1\d{3})_(?P<sentence>[A-Z]{3})_(?P<emotion>[A-Z]{3})_(?:XX|X|LO|MD|HI)")
EMOTIONS = {
    "ANG": "angry",
    "DIS": "disgust",
    "FEA": "fear",
    "HAP": "happy",
    "NEU": "neutral",
    "SAD": "sad",
}


def read(root: Path) -> list[Recording]:
    """The corpus's utterances; files with other names are passed over."""
    return [
        Recording(path, "crema-d", match["speaker"], EMOTIONS[match["emotion"]], match["sentence"])
        for path, match in named_files(root, NAME)
        if match["emotion"] in EMOTIONS
    ]
