"""IEMOCAP: ``Session1/sentences/wav/Ses01F_impro01/Ses01F_impro01_F000.wav``, labelled in ``dialog/EmoEvaluation``.

A label file ``Session1/dialog/EmoEvaluation/Ses01F_impro01.txt`` has a line for each utterance:

    [6.2901 - 8.2357]	Ses01F_impro01_F000	neu	[2.5000, 2.5000, 2.5000]

The speaker is the session with the letter of the utterance, not of the dialogue (Ses01 and F). Excited is a separate
emotion here; an experiment merges it into happy (``merge: {excited: happy}``), which makes the usual selection of
5,531 utterances of angry, happy, neutral and sad.
"""

from __future__ import annotations

import re
from pathlib import Path

from rtser_train.data.corpora.recording import CorpusError, Recording, audio_files

LINE = re.compile(r"\[\d+\.\d+ - \d+\.\d+\]\t(?P<name>\S+)\t(?P<emotion>[a-z]{3})\t")
NAME = re.compile(r"(?P<session>Ses0[1-5])[FM]_(?P<dialogue>\w+)_(?P<speaker>[FM])\d{3}[a-z]?")
EMOTIONS = {
    "ang": "angry",
    "dis": "disgust",
    "exc": "excited",
    "fea": "fear",
    "fru": "frustrated",
    "hap": "happy",
    "neu": "neutral",
    "sad": "sad",
    "sur": "surprise",
}
UNDECIDED = {"xxx", "oth"}
"""No majority among the annotators, or another emotion: such utterances have no label, as in the literature."""


def read(root: Path) -> list[Recording]:
    """The corpus's labelled utterances.

    Raises:
        CorpusError: a label is unknown, a name breaks the rules, or a labelled recording is missing.
    """
    recordings = {path.stem: path for path in audio_files(root) if path.parent.parent.name == "wav"}
    found = []
    for labels in sorted(root.glob("Session*/dialog/EmoEvaluation/Ses*.txt")):
        for line in labels.read_text(encoding="utf-8", errors="replace").splitlines():
            label = LINE.match(line)
            if label is None or label["emotion"] in UNDECIDED:
                continue
            name = NAME.fullmatch(label["name"])
            if name is None or label["emotion"] not in EMOTIONS:
                raise CorpusError(f"corpus iemocap: {labels} has a line that breaks the release's rules: {line!r}")
            if label["name"] not in recordings:
                raise CorpusError(f"corpus iemocap: {labels} names {label['name']}, but there is no such recording")
            speaker = f"{name['session']}{name['speaker']}"
            emotion = EMOTIONS[label["emotion"]]
            sex = "female" if name["speaker"] == "F" else "male"
            path = recordings[label["name"]]
            found.append(Recording(path, "iemocap", speaker, emotion, "", session=name["session"], sex=sex))
    return found
