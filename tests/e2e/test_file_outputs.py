"""What `rtser file` makes of recordings beside its table: files of other programs, summaries, several at once."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pyarrow.parquet
import pytest
import soundfile
from conftest import ROOT, rtser

import rtser as library

pytestmark = pytest.mark.e2e

DEMO = ROOT / "rtser" / "samples" / "demo.flac"
ALL = ("--textgrid", "--vtt", "--labels", "--plot")
SUFFIXES = (".TextGrid", ".png", ".txt", ".vtt")


@pytest.fixture
def calls(tmp_path):
    """Six recordings of different lengths in a folder, one of them cut short, and one that is none."""
    samples = soundfile.read(DEMO, dtype="int16")[0]
    folder = tmp_path / "calls"
    folder.mkdir()
    for number in range(5):
        soundfile.write(folder / f"{number}.flac", samples[: 60_000 * (6 - number)], 16_000)
    whole = (folder / "0.flac").read_bytes()
    (folder / "5.flac").write_bytes(whole[: len(whole) // 2])
    (folder / "6.flac").write_text("no sound")
    return folder


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_each_file_lies_beside_its_recording_under_a_name_of_its_own(tmp_path):
    shutil.copy(DEMO, tmp_path / "call.flac")
    (tmp_path / "call.vtt").write_text("subtitles")
    (tmp_path / "call.TextGrid").write_text("a transcript")
    assert rtser("file", tmp_path / "call.flac", *ALL).returncode == 0
    made = [f"call.emotion{suffix}" for suffix in SUFFIXES]
    assert names(tmp_path) == sorted([*made, "call.TextGrid", "call.flac", "call.vtt"])
    assert (tmp_path / "call.vtt").read_text() == "subtitles"
    assert (tmp_path / "call.emotion.png").read_bytes()[:4] == b"\x89PNG"
    said = library.recognise(DEMO).utterances
    assert len((tmp_path / "call.emotion.txt").read_text().splitlines()) == len(said)


def write_demo_as(folder, *names):
    """The sample under other names and in other formats."""
    samples, rate = soundfile.read(DEMO)
    for name in names:
        soundfile.write(folder / name, samples, rate)


def test_recordings_that_differ_in_their_suffix_keep_it(tmp_path):
    write_demo_as(tmp_path, "call.flac", "call.wav", "other.wav")
    assert rtser("file", *tmp_path.iterdir(), "--vtt", "-o", tmp_path / "out").returncode == 0
    assert names(tmp_path / "out") == ["call.flac.emotion.vtt", "call.wav.emotion.vtt", "other.emotion.vtt"]


def test_recordings_whose_names_would_be_the_same_write_a_file_each(tmp_path):
    write_demo_as(tmp_path, "a.wav", "a.flac", "a.wav.flac")
    assert rtser("file", *tmp_path.iterdir(), "--labels", "-o", tmp_path / "out").returncode == 0
    assert names(tmp_path / "out") == ["a.flac.emotion.txt", "a.wav.emotion.txt", "a.wav.flac.emotion.txt"]


def test_in_a_folder_recordings_of_the_same_name_keep_the_folders_that_tell_them_apart(tmp_path):
    for day in ("mon", "tue"):
        (tmp_path / "in" / day).mkdir(parents=True)
        shutil.copy(DEMO, tmp_path / "in" / day / "call.flac")
    paths = sorted(tmp_path.glob("in/*/call.flac"))
    assert rtser("file", *paths, "--vtt", "-o", tmp_path / "out").returncode == 0
    found = sorted(str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*.vtt"))
    assert found == ["mon/call.emotion.vtt", "tue/call.emotion.vtt"]


def test_standard_input_and_urls_have_names_in_a_folder(tmp_path):
    with DEMO.open("rb") as sound:
        done = rtser("file", "-", f"file://{DEMO}", "--labels", "-o", tmp_path, stdin=sound)
    assert done.returncode == 0, done.stderr
    found = sorted(path.name for path in tmp_path.rglob("*.txt"))
    assert found == ["demo.emotion.txt", "standard-input.emotion.txt"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["-", "--vtt"], 2, "standard input has no folder"),
        (["http://nowhere.invalid/a.wav", "--plot"], 2, "has no folder"),
        (["{demo}", "-o", "{tmp}"], 2, "--output is for --textgrid"),
        (["{demo}", "--json", "--summary"], 2, "both write to standard output"),
        (["{demo}", "--jobs", "2", "--stream"], 2, "one file after another"),
        (["{demo}", "--summary", "--stream"], 2, "nothing to show with --summary"),
        (["{demo}", "--summary", "--speed", "4"], 2, "nothing to show with --summary"),
        (["{demo}", "--vtt", "-o", "{demo}"], 6, "cannot be made"),
        (["{demo}", "--vtt", "-o", "{demo}/below"], 6, "cannot be made"),
        (["/", "--vtt", "-o", "{tmp}/out"], 2, "is a directory"),
        (["http://nowhere.invalid/a%00b.wav", "--vtt", "-o", "{tmp}/out"], 2, "cannot be read"),
        (["{tmp}/a.emotion.txt", "{tmp}/a.wav", "--labels"], 2, "would overwrite a file that this command reads"),
    ],
)
def test_what_cannot_be_is_said_in_one_sentence(arguments, code, words, tmp_path):
    result = rtser("file", *(one.format(demo=DEMO, tmp=tmp_path) for one in arguments))
    assert (result.returncode, len(result.stderr.splitlines())) == (code, 1), result.stderr
    assert words in result.stderr
    assert not (tmp_path / "out").exists()


def test_what_could_be_heard_of_a_cut_file_is_written_and_nothing_of_a_file_that_is_no_sound(calls):
    assert rtser("file", calls / "5.flac", calls / "6.flac", "--vtt").returncode == 2
    assert [name for name in names(calls) if name.endswith(".vtt")] == ["5.emotion.vtt"]


def without_clock(event):
    return {key: value for key, value in event.items() if key not in ("run", "utc", "step_ms")}


def test_several_at_once_say_and_write_the_same_in_the_same_order(calls, tmp_path):
    paths = sorted(calls.iterdir())
    told = {}
    for jobs in (1, 3):
        out, table = tmp_path / f"out-{jobs}", tmp_path / f"{jobs}.csv"
        how = ("--jobs", jobs, "-o", out, "--csv", table)
        result = rtser("file", *paths, paths[0], "--json", *how, *ALL)
        events = [without_clock(event) for event in lines(result)]
        rows = [line.split(",", 2)[2] for line in table.read_text().splitlines()]
        files = {path.name: path.read_bytes() for path in out.iterdir()}
        told[jobs] = result.returncode, result.stderr, events, rows, files
    assert told[1] == told[3]
    assert told[1][0] == 2
    assert len(told[1][4]) == 4 * 6


def test_a_summary_says_what_the_tables_of_a_batch_say(calls, tmp_path):
    result = rtser("file", *sorted(calls.iterdir()), "--summary", "--jobs", 2)
    assert result.returncode == 2
    assert rtser("batch", calls, "-o", tmp_path / "out", "--jobs", 2).returncode == 0
    rows = pyarrow.parquet.read_table(tmp_path / "out" / "recordings.parquet").to_pylist()
    for said, row in zip(lines(result), rows, strict=True):
        assert said["file"] == row["path"]
        assert (said["seconds"], said["utterances"]) == (round(row["duration"], 3), row["utterances"])
        assert said["speech_seconds"] == round(row["speech"], 3)
        assert (said["problem"] or "") == row["problem"]
        assert sum(said["shares"].values()) == pytest.approx(1 if row["speech"] else 0, abs=0.003)
    assert lines(result)[0]["turning_points"]


def on_terminal(tmp_path, *arguments, output_too):
    """The command with standard error on a terminal: what it wrote there, and into standard output."""
    leader, follower = pty.openpty()
    shown = bytearray()

    def read():
        try:
            while part := os.read(leader, 4096):
                shown.extend(part)
        except OSError:  # the terminal is closed
            return

    reading = threading.Thread(target=read)
    reading.start()
    with (tmp_path / "stdout").open("wb") as file:
        command = [sys.executable, "-m", "rtser", "file", *map(str, arguments)]
        surroundings = os.environ | {"TERM": "xterm", "COLUMNS": "100"}
        output = follower if output_too else file
        done = subprocess.run(command, stdout=output, stderr=follower, env=surroundings, timeout=100)
    os.close(follower)
    reading.join(10)
    os.close(leader)
    assert done.returncode == 0
    return shown.decode(), (tmp_path / "stdout").read_text()


@pytest.fixture
def long(tmp_path):
    samples, rate = soundfile.read(DEMO, dtype="int16")
    soundfile.write(tmp_path / "long.wav", np.tile(samples, 5), rate)
    return tmp_path / "long.wav"


def test_progress_is_shown_on_a_terminal_and_leaves_the_table_whole(long, tmp_path):
    shown, _ = on_terminal(tmp_path, long, output_too=True)
    assert "left" in shown
    rows = [line.rpartition("\x1b[2K")[2] for line in shown.splitlines()]
    assert sum(" - " in row and "left" not in row for row in rows) == len(library.recognise(long).utterances)


def test_progress_is_on_standard_error_alone(long, tmp_path):
    shown, printed = on_terminal(tmp_path, long, output_too=False)
    assert "left" in shown
    assert "left" not in printed
    assert "overall" in printed


@pytest.mark.parametrize(("form", "told"), [("--plain", 1), ("--json", 0), ("--summary", 0)])
def test_on_a_terminal_the_files_that_were_written_are_named_beside_a_table(tmp_path, form, told):
    shown, _ = on_terminal(tmp_path, DEMO, "--vtt", "--labels", "-o", tmp_path, form, output_too=False)
    assert shown.count("written: ") == shown.count("demo.emotion.vtt, ") == told


def test_no_progress_is_shown_where_there_is_no_terminal(long):
    assert rtser("file", long).stderr == ""


@pytest.mark.parametrize("jobs", [1, 2])
def test_interrupted_it_writes_nothing_of_the_recording_it_was_at(long, tmp_path, jobs):
    shutil.copy(DEMO, tmp_path / "short.flac")
    paths = [tmp_path / "short.flac", *[long] * 20]
    arguments = map(str, [*paths, "--vtt", "--jobs", jobs, "-o", tmp_path / "out"])
    command = [sys.executable, "-m", "rtser", "file", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while "overall" not in (process.stdout.readline()):
            assert process.poll() is None
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == ""
    assert process.returncode == 130
    assert names(tmp_path / "out") == ["short.emotion.vtt"]


@pytest.mark.parametrize(
    ("package", "extra", "words"),
    [
        ("praatio", "textgrid", ["file", str(DEMO), "--textgrid"]),
        ("matplotlib", "plot", ["file", str(DEMO), "--plot"]),
        ("torch", "train", ["train", "debug"]),
        ("torch", "train", ["evaluate", "runs/none"]),
    ],
)
def test_a_package_that_is_missing_is_named_before_any_work(package, extra, words):
    blocked = f"import sys; sys.modules.update({package}=None); from rtser.__main__ import main; main()"
    command = [sys.executable, "-c", blocked, *words]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (result.returncode, result.stdout) == (5, "")
    how = f"in the checkout: pip install -c constraints.txt '.[{extra}]'"
    assert f"this needs the package {package}; {how}." in result.stderr
