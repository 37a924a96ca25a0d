"""The folder of a batch: the finished results, and the tables."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

from rtser.batch.inputs import stamp
from rtser.batch.work import Job, summary
from rtser.engine.model import Model
from rtser.errors import INSTALL, InputError, UnavailableError
from rtser.files import replacing
from rtser.settings import leaves

Format = Literal["parquet", "jsonl"]
RECORDINGS, UTTERANCES, DECISIONS = "recordings", "utterances", "decisions"
PART = re.compile(r"\.[0-9a-f]{32}\.(json|jsonl|parquet)")
"""Files that `rtser.files.replacing` leaves behind if a call is killed."""
ROWS = 50_000
"""Rows of a table that are held in memory at once."""


class Archive:
    """A growing folder: one file of results per recording, whole or absent, and in the end the tables.

    Args:
        folder: made if it is missing.
        job: how recordings are recognised; a folder that was begun with another job is refused.
        model: the model of the job.
        form: format of the tables.

    Raises:
        InputError: the folder holds something else, or was begun with other settings.
        OutputError: the folder cannot be written.
        UnavailableError: the package of the format is missing.
    """

    def __init__(self, folder: Path, job: Job, model: Model, form: Format = "parquet") -> None:
        if form == "parquet":
            _pyarrow()
        self.folder, self._job, self._labels, self._form = folder, job, model.labels, form
        self._results = folder / "results"
        if folder.exists() and not folder.is_dir():
            raise InputError(f"{folder} is a file", "name a folder")
        about = {"settings": _settings(job, model), "labels": list(model.labels)}
        noted = folder / "batch.json"
        for part in [one for one in folder.rglob(".*") if PART.fullmatch(one.name)] if folder.is_dir() else []:
            part.unlink()  # left by a call that was killed
        if noted.exists():
            if (before := _read(noted)) != about:
                changed = ", ".join(_differing(before, about)) or "labels"
                raise InputError(
                    f"{folder} was begun with other settings ({changed})", "name a new folder, or repeat those settings"
                )
        elif folder.exists() and any(folder.iterdir()):
            raise InputError(f"{folder} holds something else", "name a new folder")
        else:
            with replacing(noted) as part:
                part.write_text(json.dumps(about, indent=1), encoding="utf-8")

    def missing(self, names: Iterable[str], again: bool = False) -> list[str]:
        """The recordings without results; with `again`, also those that had a problem."""
        return [name for name in names if not self._is_done(name, again)]

    def keep(self, name: str, entries: list[dict[str, Any]]) -> None:
        """Save the results of a recording. Raises OutputError."""
        advice = "make room, and give the same command again"
        with replacing(self._file(name), advice) as part, part.open("w", encoding="utf-8") as file:
            file.write("\n".join(map(json.dumps, entries)) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def entries(self, names: Iterable[str]) -> Iterator[dict[str, Any]]:
        """The results of recordings, in the order of their names; one object per channel."""
        for name in names:
            yield from _lines(self._file(name))

    def problems(self, names: Iterable[str]) -> int:
        """How many of the recordings had a problem, in this call or an earlier one."""
        return sum(any(entry["problem"] for entry in _lines(self._file(name))) for name in names)

    def unreadable(self, names: Iterable[str]) -> bool:
        """Whether nothing at all could be read of any of the recordings."""
        return all(entry["problem"] and not entry["duration"] for entry in self.entries(names))

    def write_tables(self, names: list[str]) -> list[Path]:
        """Write the tables of these recordings, and return their files. Raises OutputError."""
        kinds = [RECORDINGS, UTTERANCES, *([DECISIONS] if self._job.decisions else [])]
        written = []
        for kind in kinds:
            path = self.folder / f"{kind}.{self._form}"
            other = self.folder / f"{kind}.{'jsonl' if self._form == 'parquet' else 'parquet'}"
            other.unlink(missing_ok=True)  # it would be from another call
            with replacing(path, "make room, and give the same command again") as part:
                rows = (row for entry in self.entries(names) for row in self._rows(kind, entry))
                _write(part, rows, self._columns(kind), self._form)
            written.append(path)
        return written

    def _is_done(self, name: str, again: bool) -> bool:
        try:
            entries = list(_lines(self._file(name)))
        except (OSError, ValueError):  # it is missing, or a failing disk has damaged it
            return False
        return bool(entries) and not (again and any(entry["problem"] for entry in entries))

    def _file(self, name: str) -> Path:
        known = f"{stamp(name)} {name}".encode(errors="surrogateescape")
        key = hashlib.sha256(known).hexdigest()[:32]
        return self._results / key[:2] / f"{key}.jsonl"

    def _columns(self, kind: str) -> dict[str, str]:
        """Names and types of a table's columns."""
        own = {
            RECORDINGS: {"duration": "float64", "utterances": "int64", "speech": "float64", "problem": "string"},
            UTTERANCES: {"start": "float64", "end": "float64"},
            DECISIONS: {"time": "float64", "speaking": "bool", "speech": "float64", "salience": "float64"},
        }[kind]
        shared = {"path": "string", "channel": "int64"}
        if kind == RECORDINGS:
            return shared | own
        named = {"label": "string", "confidence": "float64", "leaning": "string", "leaning_confidence": "float64"}
        return shared | own | named | {f"p_{label}": "float64" for label in self._labels}

    def _rows(self, kind: str, entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
        shared = {"path": entry["path"], "channel": entry["channel"]}
        if kind == RECORDINGS:
            figures = summary(entry)
            yield shared | {
                "duration": figures.seconds,
                "utterances": figures.utterances,
                "speech": figures.speech_s,
                "problem": entry["problem"],
            }
            return
        for event in entry["events"]:
            if event["type"] != ("utterance" if kind == UTTERANCES else "decision"):
                continue
            leaning = event["leaning"] or {"label": None, "confidence": None}
            emotions = event["emotions"] or {}
            row = shared | {key: event.get(key) for key in self._columns(kind) if key in event and key != "leaning"}
            row |= {"leaning": leaning["label"], "leaning_confidence": leaning["confidence"]}
            yield row | {f"p_{label}": emotions.get(label) for label in self._labels}


def all_entries(folder: Path) -> Iterator[dict[str, Any]]:
    """All results in a folder without decisions, one object per channel; raises InputError if missing or damaged."""
    files = sorted(file for file in folder.glob("results/*/*.jsonl") if not file.name.startswith("."))
    if not files:
        raise InputError(f"{folder} has no results of rtser batch", "name the folder that it wrote")
    for file in files:
        try:
            for entry in _lines(file):
                utterances = [event for event in entry["events"] if event["type"] == "utterance"]
                yield entry | {"events": utterances}
        except ValueError:
            raise InputError(f"{file} is damaged", "delete it, and run the batch again") from None


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _read(noted: Path) -> Any:
    try:
        return json.loads(noted.read_text(encoding="utf-8"))
    except ValueError:
        raise InputError(f"{noted} is damaged", "name a new folder") from None


def _differing(before: Any, now: dict[str, Any]) -> list[str]:
    """The settings that are not as before, by their whole names, each with its value of then."""
    if not isinstance(before, dict) or not isinstance(before.get("settings"), dict):
        return []
    old, new = dict(leaves(before["settings"])), dict(leaves(now["settings"]))
    return [
        name if name == "model" else f"{name} was {'not set' if old.get(name) is None else old[name]}"
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _settings(job: Job, model: Model) -> dict[str, Any]:
    """The settings that change the results, as they are noted in the folder."""
    return {
        "model": model.sha256,
        "window_s": job.window_s,
        "decide": job.decide.model_dump(),
        "separate": job.separate,
        "decisions": job.decisions,
    }


def _write(path: Path, rows: Iterator[dict[str, Any]], columns: dict[str, str], form: Format) -> None:
    """Write rows to a file, part by part."""
    if form == "jsonl":
        with path.open("w", encoding="utf-8") as file:
            for row in rows:
                file.write(json.dumps({name: row.get(name) for name in columns}) + "\n")
        return
    arrow = _pyarrow()
    types = {"string": arrow.string(), "int64": arrow.int64(), "float64": arrow.float64(), "bool": arrow.bool_()}
    schema = arrow.schema([(name, types[kind]) for name, kind in columns.items()])
    with arrow.parquet.ParquetWriter(path, schema) as writer:
        part: list[dict[str, Any]] = []
        for row in rows:
            part.append(row)
            if len(part) == ROWS:
                writer.write_table(arrow.Table.from_pylist(part, schema))
                part.clear()
        writer.write_table(arrow.Table.from_pylist(part, schema))


def _pyarrow() -> Any:
    try:
        import pyarrow.parquet
    except ModuleNotFoundError:
        how = f"{INSTALL.format('parquet')}, or use --format jsonl"
        raise UnavailableError("Parquet needs the package pyarrow", how) from None
    return pyarrow
