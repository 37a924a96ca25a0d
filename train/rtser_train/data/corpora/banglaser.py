"""BanglaSER: ``wav/03-01-04-02-02-03-21.wav``.

The numbers are modality, kind of statement (01 scripted), emotion, intensity, statement, repetition, actor. As in
RAVDESS, actors with even numbers are women.
"""

from __future__ import annotations

import re
from pathlib import Path

from rtser_train.data.corpora.recording import Recording, named_files

NAME = re.compile(r"0[13]-01-(?P<emotion>0[1-5])-0[12]-(?P<sentence>0[1-3])-0[1-3]-(?P<speaker>\d\d)")
EMOTIONS = {"01": "happy", "02": "sad", "03": "angry", "04": "surprise", "05": "neutral"}


def read(root: Path) -> list[Recording]:
    """The corpus's utterances; files with other names are passed over."""
    return [
        Recording(
            path,
            "banglaser",
            match["speaker"],
            EMOTIONS[match["emotion"]],
            match["sentence"],
            sex="male" if int(match["speaker"]) % 2 else "female",
        )
        for path, match in named_files(root, NAME)
    ]
