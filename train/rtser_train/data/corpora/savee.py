"""SAVEE: ``AudioData/DC/sa04.wav``, or ``DC_sa04.wav`` in one folder = speaker DC (a man), emotion sa, sentence 04."""

from __future__ import annotations

import re
from pathlib import Path

from rtser_train.data.corpora.recording import Recording, audio_files

SPEAKERS = {"DC", "JE", "JK", "KL"}
NAME = re.compile(r"(?:(?P<speaker>[A-Z]{2})_)?(?P<emotion>a|d|f|h|n|sa|su)(?P<number>\d\d)")
EMOTIONS = {
    "a": "angry",
    "d": "disgust",
    "f": "fear",
    "h": "happy",
    "n": "neutral",
    "sa": "sad",
    "su": "surprise",
}


def read(root: Path) -> list[Recording]:
    """The corpus's utterances; files with other names are passed over."""
    found = []
    for path in audio_files(root):
        match = NAME.fullmatch(path.stem)
        speaker = match and (match["speaker"] or path.parent.name)
        if match and speaker in SPEAKERS:
            sentence = f"{match['emotion']}{match['number']}"
            found.append(Recording(path, "savee", speaker, EMOTIONS[match["emotion"]], sentence, sex="male"))
    return found
