"""Indian EmoSpeech: ``House/stop-safe-calm-20190727192746-HASH.wav`` = word, scene, emotion, time (or "??"), speaker.

The speaker is given as a hash (SHA-224). Most clips have the hash of an empty name: their speakers are unknown. Scenes
other than "safe" (screams, gunshots, breaking glass) and the word "background" stand for noises.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from rtser_train.data.corpora.recording import UNKNOWN_SPEAKER, Recording, named_files

NAME = re.compile(
    r"(?!background-)(?P<word>[a-z]+)-safe-(?P<emotion>angry|calm|fearful|happy)-[^-]+-(?P<speaker>[0-9a-f]{56})"
)
EMOTIONS = {"angry": "angry", "calm": "calm", "fearful": "fear", "happy": "happy"}
NOBODY = hashlib.sha224(b"").hexdigest()


def read(root: Path) -> list[Recording]:
    """The corpus's spoken words; files with other names are passed over.

    A speaker is the first twelve digits of the hash, or `UNKNOWN_SPEAKER`. The word "unknown"
    stands for any other word, so it is left empty.
    """
    return [
        Recording(
            path,
            "indian_emospeech",
            UNKNOWN_SPEAKER if match["speaker"] == NOBODY else match["speaker"][:12],
            EMOTIONS[match["emotion"]],
            match["word"].replace("unknown", ""),
        )
        for path, match in named_files(root, NAME)
    ]
