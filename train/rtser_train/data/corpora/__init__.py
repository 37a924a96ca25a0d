"""Speech corpora: one adapter for each. Whatever the layout, the result is a list of recordings."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from rtser_train.data.corpora import (
    ased,
    audformat_database,
    banglaser,
    casia,
    crema_d,
    emodb,
    emogator,
    emovo,
    iemocap,
    indian_emospeech,
    nemo,
    ravdess,
    savee,
    table,
    tess,
)
from rtser_train.data.corpora.recording import UNKNOWN_SPEAKER, CorpusError, Recording, audio_files

__all__ = [
    "ADAPTERS",
    "UNKNOWN_SPEAKER",
    "CorpusError",
    "Recording",
    "audio_files",
    "is_held_out",
    "noise_recordings",
    "read_corpus",
]

ESC_50 = re.compile(r"\d-\d+(?=-[A-Z])")
"""Fold and source in the name of a file of ESC-50."""

ADAPTERS: dict[str, Callable[[Path], list[Recording]]] = {
    "ased": ased.read,
    "banglaser": banglaser.read,
    "casia": casia.read,
    "crema-d": crema_d.read,
    "emodb": emodb.read,
    "emogator": emogator.read,
    "emovo": emovo.read,
    "iemocap": iemocap.read,
    "indian_emospeech": indian_emospeech.read,
    "nemo": nemo.read,
    "ravdess": ravdess.read,
    "savee": savee.read,
    "tess": tess.read,
}
"""Adapters by corpus name. Any other name stands for a CSV table or an audformat database."""


def read_corpus(name: str, root: Path) -> list[Recording]:
    """All labelled recordings of a corpus, sorted by path.

    Args:
        name: a key of `ADAPTERS`, or any other name for a CSV table or an audformat database.
        root: the corpus's folder as it was published; or the CSV file (`rtser_train.data.corpora.table`), or
            the database's folder (`rtser_train.data.corpora.audformat_database`).

    Raises:
        ModuleNotFoundError: the corpus is an audformat database, and the package audformat is not installed.
        CorpusError: the root is missing or holds no utterance of this corpus, or a file name breaks its rules.
    """
    option = f"say where it lies with --corpus {name}=PATH, or --data DIR for a folder that holds {name}/"
    if not root.exists():
        raise CorpusError(f"corpus {name}: {root} does not exist", option)
    is_database = name not in ADAPTERS and audformat_database.is_database(root)
    is_table = not is_database and (name not in ADAPTERS or root.suffix == ".csv")
    if is_database:
        recordings = audformat_database.read(name, root)
    else:
        recordings = table.read(name, root) if is_table else ADAPTERS[name](root)
    if not recordings:
        raise CorpusError(f"corpus {name}: no utterance with its file names lies under {root}", option)
    folder = root.parent if is_table else root
    named = (replace(recording, root=folder) for recording in recordings)
    return sorted(named, key=lambda recording: str(recording.path))


def noise_recordings(name: str, root: Path) -> list[Recording]:
    """All audio files under a folder as non-speech recordings (emotion None); see `is_held_out`."""
    if not root.is_dir():
        raise CorpusError(
            f"noise {name}: {root} does not exist",
            f"say where it lies with --corpus {name}=PATH, or train without noise (--set noise=null)",
        )
    return [Recording(path, name, speaker="", emotion=None, sentence="") for path in audio_files(root)]


def is_held_out(noise: Recording) -> bool:
    """Whether a noise recording belongs to the third for robustness reports, which training can leave out.

    A hash of its source decides. ESC-50 calls a file FOLD-SOURCE-TAKE or FOLD-SOURCE-TAKE-TARGET, so all takes of one
    source are on one side. A file with any other name is a source of its own.
    """
    named = ESC_50.match(noise.path.stem)
    source = named[0] if named else noise.path.stem
    return hashlib.sha256(source.encode()).digest()[0] % 3 == 0
