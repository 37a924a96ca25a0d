"""Your own speech: a CSV table with the columns path, emotion, speaker, and optionally more.

The optional columns are sentence, session, fold (the test fold, for `protocol.kind: table`), sex (of the speaker:
female, male, or another word), and start and end of the utterance within the file, in seconds. Paths are relative to
the table's folder.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path

from rtser_train.data.corpora.recording import CorpusError, Recording

REQUIRED = ("path", "emotion", "speaker")
COLUMNS = (*REQUIRED, "sentence", "session", "fold", "sex", "start", "end")
SEXES = {"f": "female", "m": "male"}


def read(corpus: str, table: Path) -> list[Recording]:
    """The utterances of a table.

    Raises:
        CorpusError: the table cannot be read, lacks a column or a value, or names a file twice or one that is missing.
    """
    if not table.is_file():
        raise CorpusError(
            f"corpus {corpus}: {table} is neither a CSV table nor a folder with the db.yaml of an audformat database",
            f"name one with --corpus {corpus}=PATH",
        )
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            rows = list(reader)
            columns = reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{table} cannot be read as a CSV table in UTF-8 ({error})") from None
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise CorpusError(f"{table}: the column {missing[0]!r} is missing", f"columns needed are {', '.join(REQUIRED)}")
    recordings = [_recording(corpus, table, line, row) for line, row in enumerate(rows, start=2)]
    for name, count in Counter(recording.name for recording in recordings).items():
        if count > 1:
            raise CorpusError(f"{table}: {name} stands there {count} times", "write one row for each recording")
    return recordings


def _recording(corpus: str, table: Path, line: int, row: dict[str, str]) -> Recording:
    values = {column: (row.get(column) or "").strip() for column in COLUMNS}
    for column in REQUIRED:
        if not values[column]:
            raise CorpusError(f"{table}, line {line}: the column {column!r} is empty")
    path = (table.parent / values["path"]).resolve()
    if not path.is_file():
        raise CorpusError(f"{table}, line {line}: there is no file {path}")
    try:
        start_s = float(values.pop("start") or 0)
        end_s = float(end) if (end := values.pop("end")) else None
    except ValueError:
        raise CorpusError(
            f"{table}, line {line}: start or end is not a number", "write seconds, such as 12.5"
        ) from None
    if not 0 <= start_s < (math.inf if end_s is None else end_s):
        raise CorpusError(f"{table}, line {line}: the utterance ends before it starts")
    return Recording(
        path,
        corpus,
        values["speaker"],
        values["emotion"],
        values["sentence"],
        values["session"],
        values["fold"],
        start_s,
        end_s,
        sex=SEXES.get(values["sex"].lower(), values["sex"].lower()),
    )
