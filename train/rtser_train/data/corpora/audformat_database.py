"""An audformat database (https://audeering.github.io/audformat): a folder with its header ``db.yaml`` and its tables.

The labels are those of the schemes, or columns, named emotion and speaker, in any table. The sex of a speaker is that
of a scheme named gender or sex, if there is one. Emotions keep the database's own names; an experiment's `merge` can
rename them.
"""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import Any

import yaml

from rtser_train.data.corpora.recording import UNKNOWN_SPEAKER, CorpusError, Recording

HEADER = "db.yaml"

Part = tuple[str, float, float | None]
"""A file, and the start and the end of an utterance in it, in seconds; a whole file is (file, 0, None)."""


def is_database(root: Path) -> bool:
    """Whether a folder holds an audformat database."""
    return (root / HEADER).is_file()


def read(corpus: str, root: Path) -> list[Recording]:
    """The labelled utterances of a database: whole files, or segments of them.

    A segment without a speaker gets that of its file, or `UNKNOWN_SPEAKER`. Parts without an emotion are left out.

    Raises:
        CorpusError: the database cannot be read, lacks emotions or speakers, contradicts itself, or names a file that
            is missing or a segment that ends before it starts.
        ModuleNotFoundError: the package audformat is not installed.
    """
    import audformat

    try:
        database = audformat.Database.load(str(root))
        emotions, speakers = _labels(database, "emotion"), _labels(database, "speaker")
    except (OSError, RuntimeError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
        raise CorpusError(
            f"corpus {corpus}: the audformat database in {root} cannot be read ({reason})",
            "its tables must be there, and give each file or segment one emotion and one speaker",
        ) from None
    for scheme, labels in (("emotion", emotions), ("speaker", speakers)):
        if not labels:
            schemes = ", ".join(database.schemes) or "none"
            columns = ", ".join(f"{name} ({', '.join(table.columns)})" for name, table in database.tables.items())
            raise CorpusError(
                f"corpus {corpus}: no table of the audformat database in {root} has labels of a scheme {scheme!r}",
                f"its schemes are {schemes}, and its tables with their columns {columns or 'none'}",
            )
    sexes = _sexes(database)
    found = []
    for (file, start_s, end_s), emotion in emotions.items():
        path = root / file
        if not path.is_file():
            raise CorpusError(f"corpus {corpus}: the audformat database names {file}, but there is no file {path}")
        if not 0 <= start_s < (math.inf if end_s is None else end_s):
            raise CorpusError(f"corpus {corpus}: a segment of {file} ends before it starts ({start_s} s, {end_s} s)")
        speaker = speakers.get((file, start_s, end_s)) or speakers.get((file, 0.0, None), UNKNOWN_SPEAKER)
        sex = sexes.get((file, start_s, end_s)) or sexes.get((file, 0.0, None), "")
        found.append(Recording(path, corpus, speaker, emotion, "", start_s=start_s, end_s=end_s, sex=sex.lower()))
    return found


def _sexes(database: Any) -> dict[Part, str]:
    """The speaker's sex for each part of a file; empty if no scheme states it, or if its labels are contradictory."""
    for scheme in ("gender", "sex"):
        with suppress(RuntimeError, KeyError, TypeError, ValueError):
            if labels := _labels(database, scheme):
                return labels
    return {}


def _labels(database: Any, scheme: str) -> dict[Part, str]:
    """A scheme's label for each part of a file.

    The speakers of segments are looked up here, and not by ``get("emotion", "speaker")``: if the segments of two files
    alternate, it swaps their speakers (audformat 1.4.3).
    """
    import audformat

    frame = database.get(scheme)
    named = audformat.utils.to_segmented_index(frame)[scheme].dropna() if len(frame) else {}
    labels = {}
    for (file, start, end), label in named.items():
        end_s = end.total_seconds()
        labels[file, start.total_seconds(), None if math.isnan(end_s) else end_s] = str(label)
    return labels
