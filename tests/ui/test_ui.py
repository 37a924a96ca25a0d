from __future__ import annotations

import io
import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from conftest import sound
from hypothesis import given
from hypothesis import strategies as st
from made import decided, spoken, started
from rich.cells import cell_len
from rich.console import Console
from scenes import BEGIN, LABELS, decision, scene, text

from rtser.audio.source import MemorySource
from rtser.events import DecisionEvent, EndEvent, SourceEvent
from rtser.session import Session
from rtser.statistics import Snapshot
from rtser.ui.layout import Layout
from rtser.ui.lines import LineView
from rtser.ui.live import LiveView
from rtser.ui.style import KNOWN, OTHERS, bar, clock_time, colour

SPOKEN = spoken(0.1, 2.0, "sad", {"sad": 0.5, "angry": 0.5})


def events(model, source="a [file] with brackets.wav"):
    return Session(model).events(MemorySource([sound(6.0)], source))


@given(st.integers(1, 300), st.integers(1, 100))
def test_the_picture_fits_any_terminal(width, height):
    said = [spoken(k, k + 0.5, "angry", {"angry": 0.6, "sad": 0.4}) for k in range(50)]
    rows = Layout(scene(*[decision(0.06 * k) for k in range(80)], *said)).rows(width, height)
    assert len(rows) == height
    assert all(row.cell_len <= width for row in rows)


@pytest.mark.parametrize("size", [(80, 24), (120, 24), (160, 45)])
def test_the_picture_shows_everything_that_is_promised(size):
    seen = scene(*[decision(0.06 * k) for k in range(80)], spoken(0.1, 2.0, "sad", {"sad": 0.5, "angry": 0.5}))
    seen.statistics = Snapshot(latency_s=0.012)
    shown = text(seen, *size)
    promised = ["microphone", "level", "speaking", "emotion", "attention", "now", "-10", "utterance", "0:02.0", "60%"]
    assert [word for word in (*promised, *LABELS) if word not in shown] == []


def test_what_engineers_want_to_know_stands_on_a_page_of_its_own():
    seen = scene(decision(0.3))
    seen.statistics = Snapshot(latency_s=0.012, steps_s=(0.001,), dropped_samples=8_000, missing_samples=32_000)
    figures = ["48 to 16 kHz", "CPU", "tiny", "takes 1.0 ms", "12 ms", "0.5 s dropped", "2 s missing"]
    assert [word for word in figures if word in text(seen)] == []
    seen.page = "figures"
    assert [word for word in figures if word not in text(seen)] == []


def test_whose_voice_it_takes_off_stands_beside_the_source():
    seen = scene()
    assert "voice" not in text(seen)
    seen.take(replace(BEGIN, voice="me"))
    assert "microphone, voice me" in text(seen)


def test_the_strip_names_emotions_in_words_so_that_colour_is_not_needed():
    shown = text(
        scene(*[decision(0.06 * k) for k in range(200)], *[decision(12 + 0.06 * k, "sad") for k in range(200)])
    )
    (strip,) = [line for line in shown.splitlines() if line.lstrip().startswith("emotion")]
    assert strip.index("angry") < strip.index("sad")


def test_a_segment_that_weighs_more_stands_higher():
    course = [decision(0.06 * k, salience=0.3 if k == 500 else 0.05) for k in range(1000)]
    (attention,) = [line for line in text(scene(*course)).splitlines() if "attention" in line]
    levels = attention.removeprefix(" attention").strip()
    assert levels.count("█") == 1
    assert abs(levels.index("█") - len(levels) // 2) <= 1


def test_a_lost_source_is_told_and_leaves_a_gap():
    seen = scene(*[decision(0.06 * k) for k in range(100)])
    seen.statistics = Snapshot(trouble="microphone has gone")
    seen.take(SourceEvent(6.0, "lost", "microphone has gone", 0))
    assert "microphone has gone; trying again" in text(seen)
    seen.statistics = Snapshot()
    seen.take(SourceEvent(16.0, "open", "microphone at 48000 Hz", 160_000))
    assert "trying again" not in text(seen)
    assert seen.hops == 100 + 166


def test_without_speech_and_without_confidence_no_emotion_is_shown_as_chosen():
    silent = decided(0.3, None, speech=0.0, salience=0.0, speaking=False)
    assert "silent" in text(scene(silent), 80, 24)
    assert "NO SPEECH" in text(scene(silent), 80, 12)
    assert "UNCERTAIN" in text(scene(decision(0.3, label=None)), 80, 12)


def test_only_rows_that_changed_are_drawn_again():
    out = io.StringIO()
    console = Console(file=out, width=80, height=24, force_terminal=True, color_system="truecolor")
    view = LiveView(console, LABELS, Snapshot, window=10)
    screen, seen = view._terminal, scene(*[decision(0.06 * k) for k in range(80)])
    picture = Layout(seen)
    screen.open()
    try:
        screen.draw(picture.rows(80, 24))
        whole = out.tell()
        screen.draw(picture.rows(80, 24))
        assert out.tell() == whole
        seen.statistics = Snapshot(level_db=-20)
        screen.draw(picture.rows(80, 24))
        assert 0 < out.tell() - whole < whole / 4
    finally:
        screen.close()
    assert out.getvalue().endswith("\x1b[?25h\x1b[?1049l") or "\x1b[?1049l" in out.getvalue()[-40:]


def test_the_live_view_leaves_the_last_view_and_what_was_printed_on_standard_error(model, capfd):
    logger, own = logging.getLogger("rtser"), logging.StreamHandler(sys.stderr)
    logger.handlers = [own]
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True)
    view = LiveView(console, LABELS, Snapshot, window=10)
    for event in events(model):
        if event.type == "end":
            logging.getLogger("rtser.sinks").warning("a.jsonl cannot be written")
            os.write(2, b"a library complains\n")
            time.sleep(0.3)
        view.write(event)
    left = console.file.getvalue().rpartition("\x1b[?1049l")[2]
    assert "a [file] with brackets.wav" in left
    assert "utterance" in left
    assert "a.jsonl cannot be written" in left
    assert "a library complains" not in left
    assert capfd.readouterr().err == "a.jsonl cannot be written\na library complains\n"
    assert logger.handlers == [own]
    logger.handlers = []


def test_a_handler_that_is_added_while_the_view_is_open_stays_and_no_warning_is_printed_twice(capfd):
    logger, own, late = logging.getLogger("rtser"), logging.StreamHandler(sys.stderr), logging.NullHandler()
    view = LiveView(Console(file=io.StringIO(), width=80, height=24, force_terminal=True), LABELS, Snapshot, window=10)
    logger.addHandler(own)
    try:
        view.write(BEGIN)
        logger.addHandler(late)
        for number in range(30):
            logger.warning("warning %d", number)
        view.close()
        assert late in logger.handlers
        assert capfd.readouterr().err.splitlines() == [f"warning {number}" for number in range(30)]
    finally:
        logger.removeHandler(own)
        logger.removeHandler(late)


@pytest.mark.skipif(not hasattr(signal, "SIGTSTP"), reason="no Ctrl-Z on this system")
def test_ctrl_z_is_handled_as_before_when_the_view_is_closed():
    def handler(*_):
        pass

    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True)
    view, before = LiveView(console, LABELS, Snapshot, window=10), signal.signal(signal.SIGTSTP, handler)
    try:
        view.write(BEGIN)
        assert signal.getsignal(signal.SIGTSTP) is not handler
        view.close()
        assert signal.getsignal(signal.SIGTSTP) is handler
    finally:
        signal.signal(signal.SIGTSTP, before)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux here")
@pytest.mark.parametrize("key", ["", "C-c"])
def test_in_a_real_terminal_the_screen_is_given_back(tmp_path, key):
    server = ["tmux", "-S", str(tmp_path / "tmux")]
    command = f"{sys.executable} -m rtser demo --speed 4; echo over=$?; stty -a | grep -ow -e '-echo' -e echo; sleep 60"

    def screen():
        return subprocess.run([*server, "capture-pane", "-p"], capture_output=True, text=True).stdout

    def wait_for(*words):
        until_s = time.monotonic() + 30
        while not all(word in screen() for word in words):
            assert time.monotonic() < until_s, screen()
            time.sleep(0.1)

    subprocess.run([*server, "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "40", command], check=True)
    try:
        wait_for("demo.flac", "attention", "speaking")
        if key:
            subprocess.run([*server, "send-keys", key], check=True)
        wait_for("over=130" if key else "over=0", "demo.flac", "utterance")
        assert "^C" not in screen()
        assert "-echo" not in screen()
    finally:
        subprocess.run([*server, "kill-server"], check=True)


def test_the_table_prints_the_name_as_it_is(model):
    console = Console(file=io.StringIO(), width=80)
    table = LineView(console, LABELS)
    for event in events(model):
        table.write(event)
    assert "a [file] with brackets.wav" in console.file.getvalue()
    assert "overall" in console.file.getvalue()


def test_a_row_fits_eighty_columns():
    console = Console(file=io.StringIO(), width=80)
    table = LineView(console, ("surprise", "neutral", "disgusted"))
    table.write(started())
    table.write(spoken(3599.0, 3601.0, "neutral", {"surprise": 0.3, "neutral": 0.4, "disgusted": 0.3}))
    rows = console.file.getvalue().splitlines()
    assert len(rows) == 2
    assert "disgusted 30%" in rows[1]
    assert cell_len(rows[1]) <= 80


def test_plain_lines_announce_that_sound_is_kept():
    console = Console(file=io.StringIO(), width=100)
    LineView(console, LABELS, recorded="all sound goes to heard.wav").write(started())
    assert console.file.getvalue().splitlines()[1] == "  recording: all sound goes to heard.wav"


def test_plain_lines_tell_of_the_source():
    console = Console(file=io.StringIO(), width=80)
    LineView(console, LABELS).write(SourceEvent(61.23, "lost", "virtmic has gone", 0))
    assert "1:01.2   lost: virtmic has gone" in console.file.getvalue()


def lines_of(*events, live=True):
    console = Console(file=io.StringIO(), width=80)
    table = LineView(console, LABELS, live=live)
    for event in events:
        table.write(event)
    return console.file.getvalue().splitlines()


def test_plain_lines_say_when_the_label_changes():
    angry = [decision(0.3 + 0.06 * k) for k in range(3)]
    unsure = decision(0.6, None, probabilities=(0.37, 0.33, 0.3))
    pause = decision(0.66, None, speech=0.0, speaking=False)
    sad = decision(0.72, "sad", probabilities=(0.1, 0.3, 0.6))
    assert lines_of(*angry, unsure, pause, sad) == [
        "   0:00.3   now angry 60%",
        "   0:00.6   now uncertain, leaning angry 37%",
        "   0:00.7   now sad 60%",
    ]


def test_after_an_utterance_the_same_label_is_said_again():
    shown = lines_of(decision(0.3), spoken(0.0, 0.3, "angry", {"angry": 0.6, "sad": 0.4}), decision(5.0))
    assert [line for line in shown if "now" in line] == ["   0:00.3   now angry 60%", "   0:05.0   now angry 60%"]


def test_lines_of_what_is_not_live_read_no_decisions():
    assert DecisionEvent not in LineView(Console(file=io.StringIO()), LABELS).kinds
    assert lines_of(decision(0.3), live=False) == []


def test_nothing_that_is_printed_to_a_file_is_cut_or_wrapped():
    console = Console(file=io.StringIO(), width=80)
    table = LineView(console, LABELS)
    table.write(BEGIN)
    table.write(spoken(0.0, 1.0, "angry", dict(zip(LABELS, (0.6, 0.3, 0.1), strict=True))))
    table.write(EndEvent(1.0, 10, 0, 0, {}, {}))
    assert len(console.file.getvalue().splitlines()) == 3


@given(st.floats(-1, 2), st.integers(1, 100))
def test_a_bar_is_as_wide_as_told(share, width):
    assert cell_len(bar(share, width, "red").plain) == width


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00.0"), (59.96, "1:00.0"), (61.23, "1:01.2"), (3661, "1:01:01.0")]
)
def test_times(seconds, text):
    assert clock_time(seconds) == text


def test_known_emotions_keep_their_colours_and_others_differ():
    labels = ("bored", "angry", "calm")
    assert colour("angry", labels) == KNOWN["angry"]
    assert [colour(one, labels) for one in ("bored", "calm")] == list(OTHERS[:2])
