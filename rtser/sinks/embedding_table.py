"""Embeddings of many recordings in one file: a row for each segment and for each utterance."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rtser.engine.contract import Float32, segment_end_s
from rtser.errors import InputError, UnavailableError
from rtser.events import DecisionEvent, Event, StartEvent, UtteranceEvent
from rtser.pooling import attention_mean, segments_between

TYPES: dict[str, type[np.generic]] = {
    "file": np.int32,
    "speech": np.float32,
    "salience": np.float32,
    "speaking": np.bool_,
}
"""Types of the columns that are not float64."""


class EmbeddingTable:
    """Keeps the embeddings of segments, and makes one for each utterance when it ends (a `rtser.sinks.Sink`).

    It holds little more than the embeddings themselves.

    Args:
        window: length of the decision window in segments.
    """

    def __init__(self, window: int) -> None:
        self._window, self._files, self._model = window, list[str](), ""
        self._segments = _Rows("file", "time", "speech", "speaking", "salience")
        self._utterances = _Rows("file", "start", "end")
        self._begin = 0  # the first segment of the file

    def __len__(self) -> int:
        """The number of segments."""
        return len(self._segments.labels)

    def write(self, event: Event) -> None:
        """Keep a decision, or an utterance that has ended. It belongs to the source that began last."""
        if isinstance(event, StartEvent):
            self._files.append(event.source.encode(errors="backslashreplace").decode())
            self._model, self._begin = event.model.sha256, len(self)
        elif isinstance(event, DecisionEvent):
            assert event.embedding is not None
            numbers = event.time, event.speech, event.speaking, event.salience
            self._segments.add(event.label, event.embedding, len(self._files) - 1, *numbers)
        elif isinstance(event, UtteranceEvent) and event.final:
            mean = self._mean(event)
            self._utterances.add(event.label, mean, len(self._files) - 1, event.start, event.end)

    def close(self) -> None:
        """Do nothing; `save` writes the table."""

    def save(self, path: Path) -> None:
        """Write the table as the suffix says (`check_table`); it needs at least one segment. Raises OSError."""
        arrays = self.arrays()
        if path.suffix == ".npz":
            np.savez(path, **arrays)
        else:
            _save_parquet(path, arrays)

    def arrays(self) -> dict[str, Any]:
        """The arrays of an .npz file (see ``rtser embed --help``). They are views, so the table must not grow."""
        width = len(self._segments.embeddings) // 4 // len(self)
        segments, utterances = self._segments.columns(width), self._utterances.columns(width)
        return {
            "model": np.array(self._model),
            "files": np.array(self._files),
            **{f"segment_{name}": column for name, column in segments.items()},
            **{f"utterance_{name}": column for name, column in utterances.items()},
        }

    def _mean(self, utterance: UtteranceEvent) -> Float32:
        """The mean of an utterance's embeddings, weighted by attention (F,)."""
        rows = self._segments
        times, salience = (np.frombuffer(rows.numbers[name])[self._begin :] for name in ("time", "salience"))
        embeddings = np.frombuffer(rows.embeddings, np.float32).reshape(len(self), -1)[self._begin :]
        part = segments_between(times, utterance.start, utterance.end)
        return attention_mean(embeddings, salience, part, self._window)


class _Rows:
    """Rows of a table, stored as columns that need no more memory than their numbers."""

    def __init__(self, *names: str) -> None:
        self.numbers = {name: array("d") for name in names}
        self.labels: list[str] = []
        self.embeddings = bytearray()

    def add(self, label: str | None, embedding: Float32, *numbers: float) -> None:
        for column, number in zip(self.numbers.values(), numbers, strict=True):
            column.append(number)
        self.labels.append(label or "")
        self.embeddings += embedding.tobytes()

    def columns(self, width: int) -> dict[str, NDArray[Any]]:
        numbers = {name: np.frombuffer(one).astype(TYPES.get(name)) for name, one in self.numbers.items()}
        embedding = np.frombuffer(self.embeddings, np.float32).reshape(-1, width)
        return {**numbers, "label": np.array(self.labels, dtype=np.str_), "embedding": embedding}


def check_table(path: Path) -> None:
    """Check that a table can be written in the format that the file's suffix names.

    Raises:
        InputError: there is no such format.
        UnavailableError: the package that writes it is not installed.
    """
    if path.suffix not in (".npz", ".parquet"):
        raise InputError(f"{path} has an unknown format", "name a .npz or .parquet file")
    if path.suffix == ".parquet":
        try:
            import pyarrow.parquet  # noqa: F401
        except ImportError:
            raise UnavailableError(
                "Parquet needs the package pyarrow", "pip install pyarrow, or name a .npz file"
            ) from None


def _save_parquet(path: Path, arrays: dict[str, Any]) -> None:
    """Write one table. ``kind`` says whether a row is a segment or an utterance. Missing values are null."""
    import pyarrow
    import pyarrow.parquet

    def table(kind: str, start: NDArray[Any], end: NDArray[Any]) -> Any:
        rows = len(start)
        embedding, label = arrays[f"{kind}_embedding"], arrays[f"{kind}_label"]
        columns = {
            "kind": pyarrow.DictionaryArray.from_arrays(np.zeros(rows, np.int32), [kind]),
            "file": pyarrow.DictionaryArray.from_arrays(arrays[f"{kind}_file"], arrays["files"].tolist()),
            "start": start,
            "end": end,
            "label": pyarrow.array(label, mask=label == "").dictionary_encode(),
            "embedding": pyarrow.FixedSizeListArray.from_arrays(embedding.ravel(), embedding.shape[1]),
        }
        for name, empty in (("speech", "float32"), ("speaking", "bool"), ("salience", "float32")):
            columns[name] = arrays.get(f"{kind}_{name}", pyarrow.nulls(rows, empty))
        return pyarrow.table(columns, metadata={"model": str(arrays["model"])})

    ends = arrays["segment_time"]
    segments = table("segment", ends - segment_end_s(0), ends)
    utterances = table("utterance", arrays["utterance_start"], arrays["utterance_end"])
    with path.open("wb") as file:  # a Python file, because its errors give the system's reason
        pyarrow.parquet.write_table(pyarrow.concat_tables([segments, utterances]), file)
