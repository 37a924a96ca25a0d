"""Berlin EmoDB: ``wav/03a01Fa.wav`` = speaker 03, sentence a01, emotion letter F, version a."""

from __future__ import annotations

import re
from pathlib import Path

from rtser_train.data.corpora.recording import Recording, named_files

NAME = re.compile(r"(?P<speaker>\d\d)(?P<sentence>[ab]\d\d)(?P<emotion>[WLEAFTN])[a-z]?")
EMOTIONS = {
    "W": "angry",
    "L": "boredom",
    "E": "disgust",
    "A": "fear",
    "F": "happy",
    "T": "sad",
    "N": "neutral",
}
WOMEN = {"08", "09", "13", "14", "16"}
"""By the publisher's list of the ten speakers; the others are men."""


def read(root: Path) -> list[Recording]:
    """The corpus's utterances; files with other names are passed over."""
    return [
        Recording(
            path,
            "emodb",
            match["speaker"],
            EMOTIONS[match["emotion"]],
            match["sentence"],
            sex="female" if match["speaker"] in WOMEN else "male",
        )
        for path, match in named_files(root, NAME)
    ]
