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
WOMEN = {
    *("1002", "1003", "1004", "1006", "1007", "1008", "1009", "1010", "1012", "1013", "1018", "1020", "1021", "1024"),
    *("1025", "1028", "1029", "1030", "1037", "1043", "1046", "1047", "1049", "1052", "1053", "1054", "1055", "1056"),
    *("1058", "1060", "1061", "1063", "1072", "1073", "1074", "1075", "1076", "1078", "1079", "1082", "1084", "1089"),
    "1091",
}
"""By the publisher's list (VideoDemographics.csv); the other actors are men."""
DEFECTS = {
    *("1006_TIE_HAP_XX", "1006_TIE_NEU_XX", "1013_WSI_DIS_XX", "1013_WSI_SAD_XX"),
    *("1017_IWW_ANG_XX", "1017_IWW_FEA_XX", "1076_MTI_SAD_XX"),
}
"""Files of the release that are silent (the last one), or are one recording under two labels."""


def read(root: Path) -> list[Recording]:
    """The corpus's utterances without `DEFECTS`; files with other names are passed over."""
    return [
        Recording(
            path,
            "crema-d",
            match["speaker"],
            EMOTIONS[match["emotion"]],
            match["sentence"],
            sex="female" if match["speaker"] in WOMEN else "male",
        )
        for path, match in named_files(root, NAME)
        if match["emotion"] in EMOTIONS and path.stem not in DEFECTS
    ]
