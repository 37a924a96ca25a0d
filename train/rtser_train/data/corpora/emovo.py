"""EMOVO: ``f1/gio-f1-b2.wav`` = emotion gio (gioia), speaker f1 (a woman; m1 is a man), sentence b2."""

from __future__ import annotations

import re
from pathlib import Path

from rtser_train.data.corpora.recording import Recording, named_files

NAME = re.compile(r"(?P<emotion>[a-z]{3})-(?P<speaker>[fm][123])-(?P<sentence>[a-z]\d)")
EMOTIONS = {
    "dis": "disgust",
    "gio": "happy",
    "neu": "neutral",
    "pau": "fear",
    "rab": "angry",
    "sor": "surprise",
    "tri": "sad",
}


def read(root: Path) -> list[Recording]:
    """The corpus's utterances; files with other names are passed over."""
    return [
        Recording(
            path,
            "emovo",
            match["speaker"],
            EMOTIONS[match["emotion"]],
            match["sentence"],
            sex="female" if match["speaker"].startswith("f") else "male",
        )
        for path, match in named_files(root, NAME)
        if match["emotion"] in EMOTIONS
    ]
