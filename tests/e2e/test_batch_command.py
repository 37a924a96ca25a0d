"""`rtser batch` as an analyst runs it: archives, broken off and gone on with, in processes and on a cluster."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zipfile

import numpy as np
import pyarrow.parquet
import pytest
import soundfile
from conftest import ROOT, rtser
from distributed import LocalCluster

import rtser as library

pytestmark = pytest.mark.e2e

DEMO = soundfile.read(ROOT / "rtser" / "samples" / "demo.flac", dtype="int16")[0]
BATCH = [sys.executable, "-m", "rtser", "batch"]


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """An archive: 40 recordings in folders, one in stereo, one that is none, one cut short."""
    folder = tmp_path_factory.mktemp("calls")
    for number in range(40):
        path = folder / f"day-{number % 4}" / f"{number:02d}.flac"
        path.parent.mkdir(exist_ok=True)
        begin = 5_000 * number
        soundfile.write(path, DEMO[begin : begin + 80_000], 16_000)
    both = np.stack([DEMO[:96_000], DEMO[96_000:192_000]], axis=1)
    soundfile.write(folder / "stereo.wav", both, 16_000)
    (folder / "broken.wav").write_bytes(b"RIFF no sound")
    whole = (folder / "day-0" / "00.flac").read_bytes()
    (folder / "short.flac").write_bytes(whole[: len(whole) // 2])
    (folder / "notes.txt").write_text("not a recording")
    return folder


def batch(*arguments, **options):
    return rtser("batch", *arguments, **options)


def table(folder, kind="utterances"):
    return pyarrow.parquet.read_table(folder / f"{kind}.parquet").to_pylist()


@pytest.fixture(scope="module")
def done(calls, tmp_path_factory):
    """The tables of an unbroken run."""
    folder = tmp_path_factory.mktemp("done") / "out"
    result = batch(calls, "-o", folder, "--jobs", 1)
    assert result.returncode == 0, result.stderr
    assert "broken.wav" in result.stderr
    return folder


def test_its_tables_say_what_the_library_says(calls, done):
    recordings = table(done, "recordings")
    assert len(recordings) == 43
    assert [row["path"] for row in recordings] == sorted({row["path"] for row in recordings})
    path = str(calls / "day-0" / "00.flac")
    said = [row for row in table(done) if row["path"] == path]
    for row, one in zip(said, library.recognise(path).utterances, strict=True):
        assert (row["start"], row["end"], row["label"]) == (one.start, one.end, one.label)
        assert row["confidence"] == one.confidence
        assert {name: row[f"p_{name}"] for name in one.emotions} == one.emotions


def test_what_is_no_recording_is_noted_and_stops_nothing(calls, done):
    rows = {row["path"]: row for row in table(done, "recordings")}
    assert "not an audio file" in rows[str(calls / "broken.wav")]["problem"]
    short = rows[str(calls / "short.flac")]
    assert "cut short" in short["problem"]
    assert short["duration"] > 1
    assert rows[str(calls / "stereo.wav")]["problem"] == ""


def test_a_second_call_does_nothing_again(calls, done):
    before = {path: path.stat().st_mtime_ns for path in (done / "results").rglob("*.jsonl")}
    again = batch(calls, "-o", done)
    assert (again.returncode, again.stdout.count("\n")) == (0, 2)
    assert "43 of them by an earlier call; 2 have a problem, and --retry tries those again" in again.stderr
    assert before == {path: path.stat().st_mtime_ns for path in (done / "results").rglob("*.jsonl")}


def test_killed_three_times_in_the_middle_and_gone_on_with_it_is_complete_and_the_same(calls, done, tmp_path):
    out = tmp_path / "out"
    for least in (3, 14, 30):
        command = [*map(str, [*BATCH, calls, "-o", out, "--jobs", 2])]
        quiet = {"stderr": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        running = subprocess.Popen(command, start_new_session=True, **quiet)
        while len(list(out.glob("results/*/*.jsonl"))) < least:
            time.sleep(0.005)
        os.killpg(running.pid, signal.SIGKILL)
        running.wait()
        assert not (out / "utterances.parquet").exists()
    assert batch(calls, "-o", out, "--jobs", 2).returncode == 0
    assert table(out) == table(done)
    assert table(out, "recordings") == table(done, "recordings")


def test_interrupted_it_ends_in_order_and_goes_on(calls, done, tmp_path):
    command = [*map(str, [*BATCH, calls, "-o", tmp_path / "out", "--jobs", 1])]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    while not list((tmp_path / "out").glob("results/*/*.jsonl")):
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=30)
    assert running.returncode == 130
    assert "Traceback" not in errors
    assert batch(calls, "-o", tmp_path / "out").returncode == 0
    assert table(tmp_path / "out") == table(done)


@pytest.mark.parametrize(("workers", "threads"), [(2, 1), (1, 2)])
def test_on_a_cluster_it_is_the_same(calls, done, tmp_path, workers, threads):
    with LocalCluster(workers, threads_per_worker=threads, host="127.0.0.1", dashboard_address=None) as cluster:
        result = batch(calls, "-o", tmp_path / "out", "--dask", cluster.scheduler_address)
    assert result.returncode == 0, result.stderr
    assert table(tmp_path / "out") == table(done)
    assert table(tmp_path / "out", "recordings") == table(done, "recordings")


def test_a_worker_that_is_killed_loses_nothing(calls, done, tmp_path):
    with LocalCluster(2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None) as cluster:
        command = [*map(str, [*BATCH, calls, "-o", tmp_path / "out", "--dask", cluster.scheduler_address])]
        running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        while not list((tmp_path / "out").glob("results/*/*.jsonl")) and running.poll() is None:
            time.sleep(0.02)
        os.kill(next(iter(cluster.workers.values())).pid, signal.SIGKILL)
        _, errors = running.communicate(timeout=100)
    assert running.returncode == 0, errors
    assert table(tmp_path / "out") == table(done)


def test_channels_can_be_recognised_on_their_own(calls, tmp_path):
    assert batch(calls / "stereo.wav", "-o", tmp_path / "out", "--separate", "--decisions").returncode == 0
    rows = table(tmp_path / "out", "recordings")
    assert [row["channel"] for row in rows] == [0, 1]
    for channel in (0, 1):
        said = [row for row in table(tmp_path / "out", "decisions") if row["channel"] == channel]
        expected = library.recognise(calls / "stereo.wav", channel=channel).decisions
        assert [(row["time"], row["label"]) for row in said] == [(one.time, one.label) for one in expected]


def test_patterns_and_archives_inside_archives(calls, tmp_path):
    with zipfile.ZipFile(tmp_path / "calls.zip", "w") as archive:
        for path in sorted((calls / "day-1").iterdir())[:3]:
            archive.write(path, f"in/{path.name}")
    form = ("--format", "jsonl", "--jobs", 1)
    url = f"zip://in/*.flac::{tmp_path / 'calls.zip'}"
    assert batch(url, "-o", tmp_path / "zip", *form).returncode == 0
    assert batch(f"{calls}/day-1/*.flac", "-o", tmp_path / "files", *form).returncode == 0
    zipped = [json.loads(line) for line in (tmp_path / "zip" / "utterances.jsonl").read_text().splitlines()]
    files = [json.loads(line) for line in (tmp_path / "files" / "utterances.jsonl").read_text().splitlines()]
    names = {row["path"].split("::")[0].rpartition("/")[2] for row in zipped}
    same = [row for row in files if row["path"].rpartition("/")[2] in names]
    assert [row | {"path": ""} for row in zipped] == [row | {"path": ""} for row in same]


def test_recordings_with_a_problem_are_tried_again_where_asked(tmp_path):
    (tmp_path / "a.wav").write_bytes(b"no sound")

    def written(*options):
        result = batch(tmp_path / "a.wav", "-o", tmp_path / "out", *options)
        assert result.returncode == 2, "nothing could be read"
        assert "1 has a problem, and --retry tries it again" in result.stderr
        [file] = (tmp_path / "out").glob("results/*/*.jsonl")
        return file.stat().st_mtime_ns

    first = written()
    assert written() == first
    assert written("--retry") > first


def test_a_recording_that_has_changed_is_recognised_anew(calls, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"no sound")
    assert batch(tmp_path / "a.wav", "-o", tmp_path / "out").returncode == 2
    assert table(tmp_path / "out", "recordings")[0]["problem"]
    (tmp_path / "a.wav").write_bytes((calls / "day-0" / "00.flac").read_bytes())
    assert batch(tmp_path / "a.wav", "-o", tmp_path / "out").returncode == 0
    assert table(tmp_path / "out", "recordings")[0]["problem"] == ""


def test_the_report_is_one_page_with_every_recording(done):
    result = rtser("report", done)
    assert result.returncode == 0, result.stderr
    page = (done / "report.html").read_text()
    assert page.count("<section") == 43
    assert page.count("data-sound=") == 43
    assert "broken.wav" in page
    assert "<audio" in page
    assert "http" not in page


def test_names_with_strange_bytes_are_done_like_others(tmp_path):
    strange = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9 #1?.wav")
    soundfile.write(tmp_path / "a.wav", DEMO[:96_000], 16_000)
    (tmp_path / "a.wav").rename(strange)
    assert batch(tmp_path, "-o", tmp_path / "out").returncode == 0
    assert len(table(tmp_path / "out")) == 1
    assert rtser("report", tmp_path / "out").returncode == 0


def test_the_same_name_in_another_folder_is_another_recording(calls, tmp_path):
    for day in ("day-0", "day-1"):
        (tmp_path / day).mkdir()
        source = sorted((calls / day).iterdir())[0]
        (tmp_path / day / "call.flac").write_bytes(source.read_bytes())
        assert batch("*.flac", "-o", tmp_path / "out", cwd=tmp_path / day).returncode == 0
    assert len(list((tmp_path / "out").glob("results/*/*.jsonl"))) == 2


def test_one_recording_by_several_names_is_one(calls, tmp_path):
    assert (
        batch("00.flac", "./00.flac", calls / "day-0" / "00.flac", "-o", tmp_path / "o", cwd=calls / "day-0").returncode
        == 0
    )
    assert len(table(tmp_path / "o", "recordings")) == 1


def test_a_folder_by_its_url_is_all_that_is_in_it(calls, tmp_path):
    assert batch(f"file://{calls}/day-2", "-o", tmp_path / "out").returncode == 0
    assert len(table(tmp_path / "out", "recordings")) == 10


def test_what_a_kill_or_a_failing_disk_leaves_is_mended(calls, tmp_path):
    out = tmp_path / "out"
    assert batch(calls / "day-3", "-o", out).returncode == 0
    good = table(out)
    files = sorted(out.glob("results/*/*.jsonl"))
    files[0].write_text("")
    files[1].write_text(files[1].read_text()[:20])
    (files[2].parent / f".{'0' * 32}.jsonl").write_text("half")
    assert batch(calls / "day-3", "-o", out).returncode == 0
    assert table(out) == good
    assert rtser("report", out).returncode == 0


def test_a_recording_that_kills_its_process_is_noted_and_the_others_are_done(calls, tmp_path):
    program = (
        "import os, rtser.batch.work as work\n"
        "from rtser.batch import run\n"
        "def deadly(job, name):\n"
        "    os._exit(1) if name.endswith('20.flac') else None\n"
        "    return work.recognised(job, name)\n"
        "run.recognised = deadly\n"
        "if __name__ == '__main__':\n"
        "    import sys; names = sys.argv[1:]\n"
        "    print(sorted((n[-7:], e[0]['problem']) for n, e in run.here(work.Job(), names, 2, lambda: False)))\n"
    )
    (tmp_path / "deadly.py").write_text(program)
    names = sorted(map(str, calls.glob("day-*/*.flac")))[:12]
    done = subprocess.run([sys.executable, tmp_path / "deadly.py", *names], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    found = dict(eval(done.stdout))
    assert len(found) == 12
    assert [name for name, problem in found.items() if problem] == ["20.flac"]


def test_interrupted_in_a_long_recording_it_ends_at_once(tmp_path):
    soundfile.write(tmp_path / "long.flac", np.tile(DEMO, 60), 16_000)
    command = [*map(str, [*BATCH, tmp_path / "long.flac", "-o", tmp_path / "out", "--jobs", 1])]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    time.sleep(2.5)
    running.send_signal(signal.SIGINT)
    _, errors = running.communicate(timeout=10)
    assert (running.returncode, errors) == (130, "")


def test_a_folder_without_results_has_no_report(tmp_path):
    result = rtser("report", tmp_path)
    assert (result.returncode, len(result.stderr.splitlines())) == (2, 1)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["absent.wav", "-o", "out"], 2, "no such recording"),
        (["*.nothing", "-o", "out"], 2, "no such recording"),
        (["zip://a.wav::absent.zip", "-o", "out"], 2, "cannot be listed"),
        (["{demo}", "-o", "out", "--dask", "tcp://127.0.0.1:9"], 5, "cannot be reached"),
        (["{demo}", "-o", "out", "--model", "absent.onnx"], 3, "cannot be read"),
        (["{demo}", "-o", "{tests}"], 2, "something else"),
        (["{demo}", "-o", "{demo}"], 2, "is a file; name a folder"),
        (["{demo}", "-o", "s3://bucket/out"], 2, "copy the results"),
        (["{demo}", "-o", "out", "--voice", "me.json"], 2, "many"),
        (["{demo}", "-o", "out", "--provider", "cuda"], 2, "runs on the CPU"),
    ],
)
def test_what_does_not_work_is_said_in_one_sentence(arguments, code, words, tmp_path):
    named = [one.format(demo=ROOT / "rtser" / "samples" / "demo.flac", tests=ROOT / "tests") for one in arguments]
    result = batch(*named, cwd=tmp_path)
    assert result.returncode == code, result.stderr
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_folder_of_another_job_is_refused(calls, done):
    result = batch(calls, "-o", done, "--decisions")
    assert result.returncode == 2
    assert "other settings (decisions was False)" in result.stderr
