from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import ROOT, rtser, sound

import rtser as library
from rtser.audio.file import read_audio
from rtser.engine.contract import segment_count

pytestmark = pytest.mark.e2e

DEMO = ROOT / "rtser" / "samples" / "demo.flac"
DECISION_KEYS = ["type", "time", "emotions", "label", "confidence", "leaning", "speaking", "speech", "segment_emotions"]
DECISION_KEYS.append("salience")


COLUMNS = ["run", "utc", "source", "time", "label", "confidence", "leaning", "leaning_confidence", "speaking"]
COLUMNS += ["speech", "salience", "angry", "neutral", "sad"]


def events(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def one_sentence(result):
    """The one line that the command wrote on standard error."""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert lines[0].startswith("rtser: ")
    assert lines[0].endswith(".")
    return lines[0]


def test_json_is_a_start_a_decision_a_segment_utterances_and_an_end(model_path):
    result = rtser("file", DEMO, "--json", "--model", model_path)
    assert result.returncode == 0
    assert result.stderr == ""
    start, *middle, end = events(result)
    samples = len(read_audio(DEMO))
    about = ["version", "source", "sample_rate", "model", "provider", "voice"]
    assert list(start) == ["type", "schema", "run", "utc", *about]
    assert start["schema"] == 2
    assert start["type"] == "start"
    assert start["source"] == str(DEMO)
    assert start["sample_rate"] == 16_000
    assert list(start["model"]) == ["name", "sha256", "labels"]
    decisions = [event for event in middle if event["type"] == "decision"]
    assert len(decisions) == segment_count(samples) == end["decisions"]
    assert all(list(event) == DECISION_KEYS for event in decisions)
    assert [event["time"] for event in decisions] == pytest.approx([0.335 + 0.06 * k for k in range(len(decisions))])
    utterances = [event for event in middle if event["type"] == "utterance"]
    assert len(utterances) >= 4
    keys = ["type", "start", "end", "label", "confidence", "leaning", "emotions", "final"]
    assert all(list(event) == keys for event in utterances)
    assert list(end) == ["type", "time", "decisions", "dropped_samples", "missing_samples", "step_ms", "latency_ms"]
    assert end["time"] == samples / 16_000
    assert end["dropped_samples"] == 0
    assert 0 < end["step_ms"]["p50"] <= end["step_ms"]["p99"]


def test_the_command_gives_the_decisions_of_the_library(model_path):
    stream = library.Stream(library.load(model_path))
    said = [*stream.push(read_audio(DEMO)), *stream.finish()]
    told = events(rtser("file", DEMO, "--json", "--model", model_path))
    assert told[1:-1] == [json.loads(event.to_json()) for event in said]


def test_pacing_changes_no_value(model_path, tmp_path):
    soundfile.write(tmp_path / "a.wav", sound(3.0), 16_000)
    plain = events(rtser("file", tmp_path / "a.wav", "--json", "--model", model_path))
    before_s = time.monotonic()
    paced = events(rtser("file", tmp_path / "a.wav", "--json", "--stream", "--speed", 2, "--model", model_path))
    assert time.monotonic() - before_s >= 1.4
    assert paced[1:-1] == plain[1:-1]


def test_the_window_is_the_users_to_set(model_path):
    short, long = (events(rtser("file", DEMO, "--json", "--model", model_path, "--window", w)) for w in (0.5, 5))
    assert [e.get("segment_emotions") for e in short if e["type"] == "decision"] == [
        e.get("segment_emotions") for e in long if e["type"] == "decision"
    ]
    assert [e.get("emotions") for e in short] != [e.get("emotions") for e in long]


def test_csv_has_a_row_a_decision(model_path, tmp_path):
    table = tmp_path / "decisions.csv"
    assert rtser("file", DEMO, DEMO, "--csv", table, "--model", model_path).returncode == 0
    with table.open() as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 2 * segment_count(len(read_audio(DEMO)))
    assert list(rows[0]) == COLUMNS
    assert rows[0]["angry"] == ""  # the sample begins with silence
    assert any(float(row["angry"] or 0) > 0 for row in rows)


def test_a_table_of_utterances_and_a_summary_is_shown(model_path):
    shown = rtser("file", DEMO, "--model", model_path)
    assert shown.returncode == 0
    assert "overall" in shown.stdout
    assert "█" in shown.stdout
    assert shown.stdout.count(" - ") >= 4


def test_silence_is_told_as_no_speech(model_path, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(32_000), 16_000)
    assert "no speech found" in rtser("file", tmp_path / "a.wav", "--model", model_path).stdout


def test_of_a_file_that_is_too_short_the_reason_alone_is_told(model_path, tmp_path):
    soundfile.write(tmp_path / "a.wav", np.zeros(1_000), 16_000)
    told = rtser("file", tmp_path / "a.wav", "--model", model_path)
    assert told.stdout == f"{tmp_path / 'a.wav'}\n"
    assert "too short" in told.stderr


def make_bad_files(folder: Path) -> dict[str, str]:
    """Bad input by file name, with words that its sentence must hold."""
    (folder / "empty.wav").touch()
    (folder / "text.wav").write_text("no audio\n" * 100)
    (folder / "folder.wav").mkdir()
    soundfile.write(folder / "one.wav", np.zeros(1), 16_000)
    soundfile.write(folder / "short.wav", sound(0.334), 16_000)
    soundfile.write(folder / "fast.wav", sound(1.0), 1_000_000)
    broken = sound(1.0)
    broken[8_000] = np.nan
    soundfile.write(folder / "nan.wav", broken, 16_000, subtype="FLOAT")
    for name in ("cut.wav", "cut.mp3"):
        soundfile.write(folder / name, sound(4.0), 16_000)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: len(content) // 2])
    soundfile.write(folder / "mute.wav", sound(1.0), 16_000)
    header = bytearray((folder / "mute.wav").read_bytes())
    header[22:24] = struct.pack("<H", 0)
    (folder / "mute.wav").write_bytes(header)
    return {
        "empty.wav": "is empty",
        "text.wav": "not an audio file",
        "folder.wav": "is a directory",
        "one.wav": "too short",
        "short.wav": "0.334 s of sound is too short",
        "fast.wav": "1000000 Hz",
        "nan.wav": "a value beyond 16 times full scale at 0.500 s",
        "cut.wav": "cut short",
        "cut.mp3": "cut short",
        "mute.wav": "not an audio file",
        "missing.wav": "no such file",
    }


def test_each_bad_file_gets_its_sentence_and_the_good_ones_are_done(model_path, tmp_path):
    bad = make_bad_files(tmp_path)
    result = rtser("file", DEMO, *(tmp_path / name for name in bad), DEMO, "--json", "--model", model_path)
    assert result.returncode == 2
    sentences = result.stderr.splitlines()
    assert len(sentences) == len(bad)
    for (name, words), sentence in zip(bad.items(), sentences, strict=True):
        assert name in sentence
        assert words in sentence
    told = events(result)
    whole = [event["decisions"] for event in told if event["type"] == "end"]
    assert whole[0] == whole[-1] == segment_count(len(read_audio(DEMO)))
    starts = [event for event in told if event["type"] == "start"]
    assert len(starts) == len(whole)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(model_path, tmp_path):
    path = shutil.copy(DEMO, tmp_path / "a.flac")
    path.chmod(0)
    result = rtser("file", path, "--model", model_path)
    assert result.returncode == 2
    assert "no permission" in one_sentence(result)


def test_what_could_be_heard_of_a_cut_file_is_told(model_path, tmp_path):
    make_bad_files(tmp_path)
    result = rtser("file", tmp_path / "cut.wav", "--json", "--model", model_path)
    assert result.returncode == 2
    assert events(result)[-1]["decisions"] == segment_count(32_000 - 22)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--model", "none.onnx"], 3, "none.onnx cannot be read"),
        (["--model", str(DEMO)], 3, "not a model file"),
        (["--window", "0.1"], 2, "window"),
        (["--set", "outputs.jsonl=x"], 2, "this setting is for rtser listen"),
        (["--set", "device=usb"], 2, "this setting is for rtser listen"),
        (["--label-threshold", "2"], 2, "--label-threshold"),
        (["--channel", "3"], 2, "no channel 3"),
        (["--csv", "/nowhere/at/all.csv"], 6, "cannot be written"),
        (["--voice", ""], 2, "--voice is empty"),
        (["--json", "--plain"], 2, "--json and --plain both write to standard output"),
        (["--summary", "--plain"], 2, "--summary and --plain both write to standard output"),
    ],
)
def test_wrong_use_has_its_exit_code(model_path, arguments, code, words):
    chosen = [] if "--model" in arguments else ["--model", model_path]
    result = rtser("file", DEMO, *chosen, *arguments)
    assert result.returncode == code
    assert words in one_sentence(result)


def test_an_unknown_option_is_wrong_use():
    assert rtser("file", DEMO, "--loud").returncode == 2
    assert rtser("file").returncode == 2


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="this machine may have CUDA")
def test_cuda_where_there_is_none_ends_with_5(model_path):
    result = rtser("file", DEMO, "--model", model_path, "--provider", "cuda")
    assert result.returncode == 5
    assert "CUDA was asked for" in one_sentence(result)


def test_a_reader_that_leaves_early_gets_no_traceback(model_path):
    command = [sys.executable, "-m", "rtser", "file", str(DEMO), "--json", "--model", str(model_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stderr
        assert json.loads(process.stdout.readline())["type"] == "start"
        process.stdout.close()
        complaint = process.stderr.read()
    assert process.returncode == 0
    assert complaint == ""


def test_other_outputs_are_finished_when_a_reader_leaves_early(model_path, tmp_path):
    table = tmp_path / "a.csv"
    result = shell(
        '"$@" | head -1; echo ${PIPESTATUS[0]}', "file", DEMO, DEMO, "--json", "--csv", table, "--model", model_path
    )
    assert result.stdout.splitlines()[-1] == "0"
    assert result.stderr == ""
    assert len(table.read_text().splitlines()) == 1 + 2 * segment_count(len(read_audio(DEMO)))


def test_a_table_is_left_as_it_was_where_nothing_could_be_read(model_path, tmp_path):
    table = tmp_path / "a.csv"
    table.write_text("an old table\n")
    assert rtser("file", tmp_path / "missing.wav", "--csv", table, "--model", model_path).returncode == 2
    assert table.read_text() == "an old table\n"


def test_it_ends_by_force_where_nobody_reads_its_output(model_path):
    command = [sys.executable, "-m", "rtser", "file", *[str(DEMO)] * 20, "--json", "--model", str(model_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as unread:
        time.sleep(3.0)
        unread.send_signal(signal.SIGTERM)
        assert unread.wait(10) == 6
        assert unread.stderr
        assert b"output may be missing" in unread.stderr.read()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_told(model_path):
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "rtser", "file", str(DEMO), "--json", "--model", str(model_path)]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert result.returncode == 6
    assert "No space left" in one_sentence(result)


def test_an_interrupt_ends_with_130_after_the_end_event(model_path):
    command = [sys.executable, "-m", "rtser", "file", str(DEMO), "--json", "--stream", "--model", str(model_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(5)]
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read().splitlines()
    assert process.returncode == 130
    assert json.loads(lines[0])["type"] == "start"
    assert json.loads(rest[-1])["type"] == "end"


def test_demo_shows_the_sample_without_any_file(model_path):
    shown = rtser("demo", "--speed", 0, "--model", model_path)
    assert shown.returncode == 0
    assert "demo.flac" in shown.stdout
    assert "What to try next:\n  rtser file call.wav" in shown.stdout


def test_demo_as_json_is_events_alone(model_path):
    assert events(rtser("demo", "--speed", 0, "--json", "--model", model_path))[-1]["type"] == "end"


def test_the_live_commands_need_no_torch(model_path):
    blocked = (
        "import sys; sys.modules.update(torch=None, onnx=None, sklearn=None); from rtser.__main__ import main; main()"
    )
    for command in (["file", str(DEMO)], ["info", str(model_path)], ["demo", "--speed", "0"]):
        options = [] if command[0] == "info" else ["--model", str(model_path)]
        result = subprocess.run([sys.executable, "-c", blocked, *command, *options], capture_output=True, text=True)
        assert result.returncode == 0, result.stderr


def test_training_without_its_packages_says_what_to_install():
    blocked = "import sys; sys.modules.update(torch=None); from rtser.__main__ import main; main()"
    result = subprocess.run([sys.executable, "-c", blocked, "train"], capture_output=True, text=True)
    assert result.returncode == 5
    assert "'.[train]'" in one_sentence(result)


def test_the_training_package_is_imported_late():
    code = "import sys, rtser.commands.app; print([name for name in sys.modules if name.startswith('rtser_train')])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_importing_rtser_loads_nothing_heavy():
    code = "import sys, rtser; print(*({'torch', 'numpy', 'onnxruntime', 'soundfile', 'rich'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


def shell(script, *arguments):
    """Run a shell script in which "$@" is the command and its arguments."""
    command = ["bash", "-c", script, "bash", sys.executable, "-m", "rtser", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_the_table_has_no_traceback_either_when_its_reader_leaves(model_path):
    result = shell('"$@" | true; echo ${PIPESTATUS[0]}', "file", DEMO, "--model", model_path)
    assert result.stdout.splitlines()[-1] == "0"
    assert result.stderr == ""


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_standard_streams_are_no_reason_to_fail(model_path, closed):
    assert shell(f'"$@" {closed}', "file", DEMO, "--model", model_path).returncode == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_standard_error_does_not_stop_the_good_files(model_path):
    result = shell('"$@" 2>/dev/full', "file", "missing.wav", DEMO, "--json", "--model", model_path)
    assert result.returncode == 2
    assert events(result)[-1]["type"] == "end"


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_any_file_name_can_be_told_in_any_encoding(model_path, tmp_path, arguments):
    for name in (b"\xff\xfe.wav", "üñ😀[x].wav".encode()):
        path = tmp_path / os.fsdecode(name)
        shutil.copy(DEMO, path)
        for encoding in ("ascii", "utf-8"):
            options = {**os.environ, "PYTHONIOENCODING": encoding}
            table = tmp_path / "a.csv"
            result = rtser("file", path, *arguments, "--csv", table, "--model", model_path, env=options)
            assert result.returncode == 0, result.stderr
            assert table.stat().st_size > 1000


def test_the_csv_never_overwrites_what_is_read(model_path, tmp_path):
    audio, model = shutil.copy(DEMO, tmp_path / "a.flac"), shutil.copy(model_path, tmp_path / "m.onnx")
    for victim in (audio, model):
        before = victim.read_bytes()
        result = rtser("file", audio, "--model", model, "--csv", victim)
        assert result.returncode == 2
        assert "would overwrite" in one_sentence(result)
        assert victim.read_bytes() == before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_csv_that_cannot_be_written_to_its_end_is_named(model_path):
    result = rtser("file", DEMO, "--csv", "/dev/full", "--model", model_path)
    assert result.returncode == 6
    assert "/dev/full cannot be written" in result.stderr
    assert "Traceback" not in result.stderr


def test_what_is_wrong_with_a_short_file_comes_before_that_it_is_short(model_path, tmp_path):
    samples = sound(2.0)
    samples[3_000] = np.nan
    soundfile.write(tmp_path / "a.wav", samples, 16_000, subtype="FLOAT")
    assert "a value beyond 16 times full scale at 0.188 s" in one_sentence(
        rtser("file", tmp_path / "a.wav", "--model", model_path)
    )


def test_a_terminated_file_is_not_called_done(model_path):
    command = [
        sys.executable,
        "-m",
        "rtser",
        "file",
        str(DEMO),
        str(DEMO),
        "--json",
        "--stream",
        "--model",
        str(model_path),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        process.stdout.readline()
        process.terminate()
        rest = process.stdout.read().splitlines()
    assert process.returncode == 130
    assert json.loads(rest[-1])["type"] == "end"


def test_a_line_break_in_a_name_does_not_break_the_sentence(tmp_path, model_path):
    result = rtser("file", tmp_path / "two\nlines\x1b[31m.wav", "--model", model_path)
    assert "two\\nlines\\x1b" in one_sentence(result)
