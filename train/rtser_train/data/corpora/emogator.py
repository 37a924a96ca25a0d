"""EmoGator: ``mp3/000346-11-1.mp3`` = speaker 000346, emotion 11 of 30, take 1. Vocal bursts, without words.

The emotions keep the corpus's own names; an experiment's `merge` can rename them.
"""

from __future__ import annotations

import re
from pathlib import Path

from rtser_train.data.corpora.recording import Recording, named_files

NAME = re.compile(r"(?P<speaker>\d{6})-(?P<emotion>0[1-9]|[12]\d|30)-[1-3]")
EMOTIONS = (
    *("adoration", "amusement", "anger", "awe", "confusion", "contempt", "contentment", "desire", "disappointment"),
    *("disgust", "distress", "ecstasy", "elation", "embarrassment", "fear", "guilt", "interest", "neutral", "pain"),
    *("pride", "realization", "relief", "romantic_love", "sadness", "serenity", "shame", "surprise_negative"),
    *("surprise_positive", "sympathy", "triumph"),
)
SILENT = {"000160"}
"""Contributors with many silent files."""


def read(root: Path) -> list[Recording]:
    """The corpus's bursts without those of `SILENT`; files with other names are passed over."""
    return [
        Recording(path, "emogator", match["speaker"], EMOTIONS[int(match["emotion"]) - 1], "")
        for path, match in named_files(root, NAME)
        if match["speaker"] not in SILENT
    ]
