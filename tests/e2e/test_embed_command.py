"""`rtser embed`: embeddings of files, for programs that learn from them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile
from conftest import ROOT, sound
from conftest import rtser as command

import rtser

pytestmark = pytest.mark.e2e

DEMO = rtser.sample_path()


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """Another recording: three seconds, 44.1 kHz, two channels."""
    path = tmp_path_factory.mktemp("other") / "other.wav"
    soundfile.write(path, sound(8.268).reshape(-1, 1)[: 3 * 44_100].repeat(2, axis=1), 44_100)
    return path


@pytest.fixture(scope="module")
def expected(other):
    """What the library says of both."""
    return [rtser.recognise(path, embeddings=True) for path in (DEMO, other)]


def embedded(*arguments):
    result = command("embed", *arguments)
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    return result.stdout


def test_npz_has_a_row_a_segment_and_a_row_an_utterance(other, expected, tmp_path):
    output = tmp_path / "a.npz"
    assert embedded(DEMO, other, "-o", output) == f"{output}\n"
    with np.load(output) as file:
        table = dict(file)
    assert list(table["files"]) == [str(DEMO), str(other)]
    assert str(table["model"]) == rtser.load(provider="cpu").sha256
    at = {"segment": 0, "utterance": 0}
    for number, result in enumerate(expected):
        for kind, events in (("segment", result.decisions), ("utterance", result.utterances)):
            part = slice(at[kind], at[kind] + len(events))
            at[kind] += len(events)
            times = ("time",) if kind == "segment" else ("start", "end")
            for name in (*times, *(("speech", "speaking", "salience") if kind == "segment" else ())):
                values = np.array([getattr(one, name) for one in events])
                assert table[f"{kind}_{name}"][part].tolist() == values.tolist(), name
            assert table[f"{kind}_label"][part].tolist() == [one.label or "" for one in events]
            assert (table[f"{kind}_file"][part] == number).all()
    assert table["segment_embedding"].dtype == np.float32
    assert table["segment_embedding"].tolist() == np.concatenate([one.embeddings for one in expected]).tolist()
    means = np.concatenate([one.utterance_embeddings() for one in expected])
    assert table["utterance_embedding"].tolist() == means.tolist()
    rows = {name: len(values) for name, values in table.items() if "_" in name}
    assert all(size == at[name.partition("_")[0]] for name, size in rows.items())
    assert at["utterance"] >= 4


def test_parquet_has_the_same_in_one_table(other, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    embedded(DEMO, other, "-o", tmp_path / "a.npz")
    embedded(DEMO, other, "-o", tmp_path / "a.parquet")
    arrays, table = dict(np.load(tmp_path / "a.npz")), parquet.read_table(tmp_path / "a.parquet")
    assert table.schema.metadata[b"model"].decode() == str(arrays["model"])
    names = ["kind", "file", "start", "end", "label", "embedding", "speech", "speaking", "salience"]
    assert table.column_names == names
    rows = table.to_pylist()
    for kind, end in (("segment", "segment_time"), ("utterance", "utterance_end")):
        some = [row for row in rows if row["kind"] == kind]
        assert [row["file"] for row in some] == arrays["files"][arrays[f"{kind}_file"]].tolist()
        assert [row["end"] for row in some] == arrays[end].tolist()
        assert [row["label"] or "" for row in some] == arrays[f"{kind}_label"].tolist()
        assert [row["embedding"] for row in some] == arrays[f"{kind}_embedding"].tolist()
    first = rows[0]
    assert (first["start"], first["end"]) == (0, 0.335)
    assert first["speech"] == arrays["segment_speech"][0]
    assert (rows[-1]["kind"], rows[-1]["speech"], rows[-1]["speaking"]) == ("utterance", None, None)


def test_settings_are_those_of_rtser_file(other, model_path, tmp_path):
    options = ["--model", model_path, "--window", 1, "--label-threshold", 1, "--channel", 1]
    embedded(other, "-o", tmp_path / "a.npz", *options)
    decide = rtser.DecideSettings(label_threshold=1)
    result = rtser.recognise(other, model_path, channel=1, window_s=1.0, decide=decide, embeddings=True)
    table = np.load(tmp_path / "a.npz")
    assert table["segment_embedding"].tolist() == result.embeddings.tolist()
    assert set(table["segment_label"]) == {""}


def test_silence_has_segments_and_no_utterance(tmp_path, model_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(16_000), 16_000)
    for suffix in (".npz", ".parquet"):
        embedded(tmp_path / "a.wav", "-o", tmp_path / f"a{suffix}", "--model", model_path)
    table = np.load(tmp_path / "a.npz")
    assert table["segment_embedding"].shape == (12, 1)
    assert table["utterance_embedding"].shape == (0, 1)


def test_bad_files_are_named_and_the_others_are_done(other, tmp_path, model_path):
    (tmp_path / "text.wav").write_text("no audio")
    soundfile.write(tmp_path / "short.wav", sound(0.3), 16_000)
    bad = [tmp_path / name for name in ("text.wav", "short.wav", "missing.wav")]
    result = command("embed", bad[0], other, bad[1], other, bad[2], "-o", tmp_path / "a.npz", "--model", model_path)
    assert result.returncode == 2
    sentences = result.stderr.splitlines()
    assert [path.name in sentence for path, sentence in zip(bad, sentences, strict=True)] == [True] * 3
    table = np.load(tmp_path / "a.npz")
    done = table["files"][table["segment_file"]]
    assert set(done) == {str(other)}
    assert len(done) == 2 * len(rtser.recognise(other, model_path).decisions)


def test_the_table_is_left_as_it_was_where_no_file_could_be_read(tmp_path, model_path):
    (tmp_path / "a.npz").write_text("old")
    result = command("embed", tmp_path / "missing.wav", "-o", tmp_path / "a.npz", "--model", model_path)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]
    assert (tmp_path / "a.npz").read_text() == "old"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ([DEMO, "-o", "a.csv"], 2, "a.csv has an unknown format; name a .npz or .parquet file."),
        ([DEMO, "-o", DEMO], 2, "would overwrite a file that this command reads"),
        ([DEMO, "-o", "/proc/nowhere/a.npz"], 6, "/proc/nowhere/a.npz cannot be written"),
        ([DEMO, "-o", "/dev/full.d/../null"], 2, "has an unknown format"),
        ([DEMO, "-o", "a.npz", "--model", ROOT / "README.md"], 3, "README.md"),
        ([DEMO, "-o", "a.npz", "--set", "outputs.jsonl=x"], 2, "this setting is for rtser listen"),
        ([DEMO, "-o", "a.npz", "--window", "0.1"], 2, "window"),
    ],
)
def test_what_cannot_work_is_told_in_one_sentence_before_the_work(arguments, code, words, tmp_path):
    result = command("embed", *arguments, cwd=tmp_path)
    assert result.returncode == code
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_an_input_of_the_outputs_name_is_not_overwritten(tmp_path, model_path):
    soundfile.write(tmp_path / "a.wav", sound(1.0), 16_000)
    (tmp_path / "a.wav").rename(tmp_path / "a.npz")
    before = (tmp_path / "a.npz").read_bytes()
    result = command("embed", "a.npz", "-o", tmp_path / "a.npz", "--model", model_path, cwd=tmp_path)
    assert result.returncode == 2
    assert (tmp_path / "a.npz").read_bytes() == before


def test_parquet_without_its_package_says_what_to_install(tmp_path):
    blocked = "import sys; sys.modules.update(pyarrow=None); from rtser.__main__ import main; main()"
    arguments = [sys.executable, "-c", blocked, "embed", DEMO, "-o", tmp_path / "a.parquet"]
    result = subprocess.run(arguments, capture_output=True, text=True)
    assert result.returncode == 5
    assert result.stderr == "rtser: Parquet needs the package pyarrow; pip install pyarrow, or name a .npz file.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
@pytest.mark.parametrize("suffix", [".npz", ".parquet"])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, suffix):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", disk], capture_output=True).returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    try:
        result = command("embed", DEMO, "-o", disk / f"a{suffix}")
        assert result.returncode == 6, result.stderr
        assert f"a{suffix} cannot be written (No space left on device)" in result.stderr
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", disk], check=True)


def test_an_interrupt_ends_it_with_130_and_leaves_nothing(tmp_path, model_path):
    folder = tmp_path / "out"
    folder.mkdir()
    arguments = ["embed", *[DEMO] * 500, "-o", folder / "a.npz", "--model", model_path]
    with subprocess.Popen([sys.executable, "-m", "rtser", *map(str, arguments)]) as process:
        until_s = time.monotonic() + 20
        while not list(folder.iterdir()) and time.monotonic() < until_s:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 130
    assert list(folder.iterdir()) == []
