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
DEFECTS = {
    *("1006_TIE_HAP_XX", "1006_TIE_NEU_XX", "1013_WSI_DIS_XX", "1013_WSI_SAD_XX"),
    *("1017_IWW_ANG_XX", "1017_IWW_FEA_XX", "1076_MTI_SAD_XX"),
}
"""Files of the release that are silent (the last one), or are one recording under two labels."""


def read(root: Path) -> list[Recording]:
    """The corpus's utterances without `DEFECTS`; files with other names are passed over."""
    return [
        Recording(path, "crema-d", match["speaker"], EMOTIONS[match["emotion"]], match["sentence"])
        for path, match in named_files(root, NAME)
        if match["emotion"] in EMOTIONS and path.stem not in DEFECTS
    ]
