"""One's own speech: a CSV table with the columns path, emotion, speaker and, if known, sentence.

Paths are relative to the table's folder.
"""

from __future__ import annotations

import csv
from pathlib import Path

from train.corpora.utterance import CorpusError, Utterance

REQUIRED = ("path", "emotion", "speaker")
COLUMNS = (*REQUIRED, "sentence")


def read(name: str, table: Path) -> list[Utterance]:
    """The utterances of a table.

    Raises:
        CorpusError: the table is no CSV file, lacks a column or a value, or names a file that does not exist.
    """
    if not table.is_file():
        raise CorpusError(f"corpus {name}: {table} is no CSV table; --corpus {name}=TABLE.csv names one.")
    try:
        with table.open(newline="", encoding="utf-8-sig") as lines:
            reader = csv.DictReader(lines)
            rows = list(reader)
            columns = reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{table} cannot be read as a CSV table in UTF-8 ({error}).") from None
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        raise CorpusError(f"{table}: the column {missing[0]!r} is missing; needed are {', '.join(REQUIRED)}.")
    return [_utterance(name, table, line, row) for line, row in enumerate(rows, start=2)]


def _utterance(name: str, table: Path, line: int, row: dict[str, str]) -> Utterance:
    values = {column: (row.get(column) or "").strip() for column in COLUMNS}
    for column in REQUIRED:
        if not values[column]:
            raise CorpusError(f"{table}, line {line}: the column {column!r} is empty.")
    path = table.parent / values["path"]
    if not path.is_file():
        raise CorpusError(f"{table}, line {line}: there is no file {path}.")
    return Utterance(path, name, values["speaker"], values["emotion"], values["sentence"])
