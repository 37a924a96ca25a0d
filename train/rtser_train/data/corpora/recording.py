"""One labelled recording."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from rtser.errors import InputError

AUDIO_SUFFIXES = {".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".w64", ".caf"}

UNKNOWN_SPEAKER = "unknown"
"""All speakers that a corpus does not name; some may be named elsewhere. Their recordings are only trained on."""


class CorpusError(InputError):
    """A corpus that is missing or does not have the right content."""


@dataclass(frozen=True)
class Recording:
    """One recording of a corpus.

    Attributes:
        path: the audio file.
        corpus: name of the corpus.
        speaker: who speaks, unique within the corpus; `UNKNOWN_SPEAKER` where the corpus does not say.
        emotion: this project's name of the emotion (angry, boredom, calm, disgust, fear, happy, neutral, sad,
            surprise), or the corpus's own (a table's, a database's, EmoGator's); None for a recording without speech.
        sentence: which sentence is spoken, unique within the corpus; empty where unknown.
        session: the recording session; empty if the corpus has none.
        fold: its test fold in the corpus's own table; empty without one.
        start_s: its start in the file, in seconds.
        end_s: its end in the file, in seconds; None for the file's end.
        root: the corpus's folder; `name` is relative to it.
        sex: of the speaker, "female" or "male", or a table's own word; empty if the corpus does not say. It is not
            part of the representation, by which runs recognise their recordings.
    """

    path: Path
    corpus: str
    speaker: str
    emotion: str | None
    sentence: str
    session: str = ""
    fold: str = ""
    start_s: float = 0.0
    end_s: float | None = None
    root: Path | None = None
    sex: str = field(default="", repr=False)

    @property
    def group(self) -> str:
        """The speaker, unique over all corpora."""
        return f"{self.corpus}/{self.speaker}"

    @property
    def name(self) -> str:
        """The path from the corpus's folder, and the part of the file; unique within the corpus."""
        inside = self.root is not None and self.path.is_relative_to(self.root)
        path = self.path.relative_to(self.root) if inside and self.root else self.path
        part = f"#{self.start_s}-{'' if self.end_s is None else self.end_s}"
        return f"{path.as_posix()}{part if self.start_s or self.end_s is not None else ''}"

    @property
    def key(self) -> tuple[str, str]:
        """Corpus and name, unique over all corpora."""
        return self.corpus, self.name


def audio_files(root: Path) -> list[Path]:
    """Every audio file under a folder, sorted; hidden files and folders are passed over."""
    found = (path for path in root.rglob("*") if path.suffix.lower() in AUDIO_SUFFIXES)
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(root).parts))


def named_files(root: Path, name: re.Pattern[str]) -> Iterator[tuple[Path, re.Match[str]]]:
    """The audio files under a folder whose whole stems match a corpus's rule, with the match."""
    for path in audio_files(root):
        if match := name.fullmatch(path.stem):
            yield path, match
