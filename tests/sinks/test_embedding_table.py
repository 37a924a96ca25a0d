"""The table of embeddings."""

from __future__ import annotations

import sys
import tracemalloc

import numpy as np
import pytest

from rtser.engine.decision import Leaning
from rtser.errors import InputError, UnavailableError
from rtser.events import DecisionEvent, StartEvent, UtteranceEvent
from rtser.sinks.embedding_table import EmbeddingTable, check_table
from rtser.testing import tiny_model

WIDTH = 128


def filled(segments, source="a.wav"):
    """A table of one recording, all of it one utterance, whose segments get the same attention."""
    table, random = EmbeddingTable(window=segments), np.random.default_rng(0)
    table.write(StartEvent.of(source, 16_000, tiny_model()))
    for number in range(segments):
        time, embedding = (5360 + 960 * number) / 16_000, random.random(WIDTH, np.float32)
        said = {"sad": 1.0}, "sad", 1.0, Leaning("sad", 1.0), True, 0.9, {"sad": 1.0}, 1 / (number + 1), embedding
        table.write(DecisionEvent(time, *said))
    for final in (False, True):
        table.write(UtteranceEvent(0.0, time, None, None, Leaning("sad", 0.3), {"sad": 0.3}, final))
    return table


def test_it_holds_little_more_than_the_embeddings():
    segments = 20_000
    filled(10)
    tracemalloc.start()
    table = filled(segments)
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(table) == segments
    assert held < 1.3 * segments * WIDTH * 4


def test_an_utterance_that_ended_has_a_row_and_one_that_goes_on_has_none():
    arrays = filled(40).arrays()
    assert arrays["utterance_label"].tolist() == [""]
    assert arrays["utterance_embedding"][0] == pytest.approx(arrays["segment_embedding"].mean(axis=0), abs=1e-5)


@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_a_file_name_in_no_encoding_can_be_written(tmp_path, suffix):
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    table = filled(3, "\udcff.wav")
    table.save(tmp_path / f"a{suffix}")
    assert (tmp_path / f"a{suffix}").stat().st_size > 0
    assert table.arrays()["files"].tolist() == ["\\udcff.wav"]


@pytest.mark.parametrize("name", ["a.csv", "a", "a.NPZ", "a.npz.gz"])
def test_a_format_that_is_not_known_is_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"has an unknown format; name a \.npz or \.parquet file"):
        check_table(tmp_path / name)


def test_parquet_needs_its_package(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    check_table(tmp_path / "a.npz")
    with pytest.raises(UnavailableError, match="pip install pyarrow"):
        check_table(tmp_path / "a.parquet")
