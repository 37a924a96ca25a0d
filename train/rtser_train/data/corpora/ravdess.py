"""RAVDESS speech: ``Actor_12/03-01-06-01-02-01-12.wav``.

The numbers are modality, vocal channel (01 speech), emotion, intensity, statement, repetition, actor. Actors with even
numbers are women.
"""

from __future__ import annotations

import re
from pathlib import Path

from rtser_train.data.corpora.recording import Recording, named_files

NAME = re.compile(r"0[13]-01-(?P<emotion>0[1-8])-0[12]-(?P<statement>0[12])-0[12]-(?P<actor>\d\d)")
EMOTIONS = {
    "01": "neutral",
    "02": "calm",
    "03": "happy",
    "04": "sad",
    "05": "angry",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}


def read(root: Path) -> list[Recording]:
    """The corpus's spoken utterances (its songs and files with other names are passed over)."""
    return [
        Recording(
            path,
            "ravdess",
            f"Actor_{match['actor']}",
            EMOTIONS[match["emotion"]],
            match["statement"],
            sex="male" if int(match["actor"]) % 2 else "female",
        )
        for path, match in named_files(root, NAME)
    ]
