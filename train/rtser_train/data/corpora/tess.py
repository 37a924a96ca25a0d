"""TESS, two women: ``OAF_angry/OAF_back_angry.wav`` = speaker OAF, sentence "Say the word back", emotion.

One file of the release says OA where it means OAF; "ps" stands for pleasant surprise.
"""

from __future__ import annotations

import re
from pathlib import Path

from rtser_train.data.corpora.recording import Recording, named_files

NAME = re.compile(r"(?P<speaker>OAF?|YAF)_(?P<word>[a-z]+)_(?P<emotion>[a-z]+)")
SPEAKERS = {"OA": "OAF", "OAF": "OAF", "YAF": "YAF"}
EMOTIONS = {
    "angry": "angry",
    "disgust": "disgust",
    "fear": "fear",
    "happy": "happy",
    "neutral": "neutral",
    "ps": "surprise",
    "sad": "sad",
}


def read(root: Path) -> list[Recording]:
    """The corpus's utterances; files with other names are passed over."""
    return [
        Recording(path, "tess", SPEAKERS[match["speaker"]], EMOTIONS[match["emotion"]], match["word"], sex="female")
        for path, match in named_files(root, NAME)
        if match["emotion"] in EMOTIONS
    ]
