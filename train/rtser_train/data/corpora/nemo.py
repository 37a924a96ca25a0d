"""nEMO: ``samples/SM0_anger_77.wav`` = speaker SM0, emotion, sentence 77."""

from __future__ import annotations

import re
from pathlib import Path

from rtser_train.data.corpora.recording import Recording, named_files

NAME = re.compile(r"(?P<speaker>[A-Z]{2}\d)_(?P<emotion>[a-z]+)_(?P<sentence>\d+)")
EMOTIONS = {
    "anger": "angry",
    "fear": "fear",
    "happiness": "happy",
    "neutral": "neutral",
    "sadness": "sad",
    "surprised": "surprise",
}
SEXES = {
    **dict.fromkeys(("EB0", "IC0", "KD0", "MK0"), "female"),
    **dict.fromkeys(("KS0", "MP0", "SM0", "TP0", "WR0"), "male"),
}
"""By the publisher's table (its column gender)."""


def read(root: Path) -> list[Recording]:
    """The corpus's utterances; files with other names are passed over."""
    return [
        Recording(
            path,
            "nemo",
            match["speaker"],
            EMOTIONS[match["emotion"]],
            match["sentence"],
            sex=SEXES.get(match["speaker"], ""),
        )
        for path, match in named_files(root, NAME)
        if match["emotion"] in EMOTIONS
    ]
