"""ASED: ``02Fearful/f2-03-02-02-39.wav`` = emotion and set f2, sentence 03 of it, take, sex (01 female), speaker 39."""

from __future__ import annotations

import re
from pathlib import Path

from rtser_train.data.corpora.recording import Recording, named_files

NAME = re.compile(r"(?P<sentence>(?P<emotion>[nfhsa])\d-\d\d)-\d\d-(?P<sex>\d\d)-(?P<speaker>\d\d)", re.IGNORECASE)
EMOTIONS = {"n": "neutral", "f": "fear", "h": "happy", "s": "sad", "a": "angry"}
SEXES = {"01": "female", "02": "male"}


def read(root: Path) -> list[Recording]:
    """The corpus's utterances (one name begins with a capital S); files with other names are passed over."""
    return [
        Recording(
            path,
            "ased",
            match["speaker"],
            EMOTIONS[match["emotion"].lower()],
            match["sentence"].lower(),
            sex=SEXES.get(match["sex"], ""),
        )
        for path, match in named_files(root, NAME)
    ]
