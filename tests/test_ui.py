from __future__ import annotations

import io

import pytest
from conftest import sound
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

import rtser
from rtser.events import Decided, End, Spoken, Start
from rtser.recognise import recognise
from rtser.ui.live import LiveView
from rtser.ui.style import KNOWN, OTHERS, bar, clock_time, colour
from rtser.ui.table import Timeline

LABELS = ("angry", "neutral", "sad")


def shown(view, width=80, terminal=True):
    """What a view writes for a whole stream."""
    console = Console(file=io.StringIO(), width=width, height=24, force_terminal=terminal, color_system="truecolor")
    sink = view(console, LABELS)
    stream = rtser.Stream(rtser.load(shown.model))
    for event in recognise([sound(6.0)], stream, "a [file] with brackets.wav", 16_000):
        sink.write(event)
    sink.close()
    return console.file.getvalue()


@pytest.fixture(autouse=True)
def _model(model_path):
    shown.model = model_path


@pytest.mark.parametrize("width", [8, 14, 20])
def test_the_live_view_stays_small_on_a_narrow_terminal(width):
    view = LiveView(Console(file=io.StringIO(), width=width), LABELS)
    for event in recognise([sound(6.0)], rtser.Stream(rtser.load(shown.model)), "a.wav", 16_000):
        view.write(event)
    picture = Console(file=io.StringIO(), width=width)
    picture.print(view)
    assert len(picture.file.getvalue().splitlines()) <= 20


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_live_view_shows_every_emotion_and_fits_the_width(width):
    text = shown(LiveView, width)
    for expected in (*LABELS, "salience", "last utterances"):
        assert expected in text


def test_the_live_view_gives_the_cursor_back():
    assert shown(LiveView).rstrip().endswith("\x1b[?25h")


def test_the_table_prints_the_name_as_it_is():
    assert "a [file] with brackets.wav" in shown(Timeline, terminal=False)


def test_a_row_fits_eighty_columns():
    console = Console(file=io.StringIO(), width=80)
    table = Timeline(console, ("surprise", "neutral", "disgusted"))
    table.write(Start("0", "a.wav", 16_000, {}, "CPU"))
    table.write(Spoken(3599.0, 3601.0, "neutral", 1.0, {"surprise": 0.3, "neutral": 0.4, "disgusted": 0.3}))
    rows = console.file.getvalue().splitlines()
    assert len(rows) == 2
    assert "disgusted 30%" in rows[1]
    assert cell_len(rows[1]) <= 80


def test_a_decision_without_speech_is_shown_as_such():
    console = Console(file=io.StringIO(), width=80, force_terminal=True)
    view = LiveView(console, LABELS)
    view.write(Start("0", "a.wav", 16_000, {"name": "tiny"}, "CPU"))
    view.write(Decided(0.335, None, None, None, 0.0, dict.fromkeys(LABELS, 1 / 3), 0.0))
    view.write(End(0.335, 1, 0, {}))
    view.close()
    assert "NO SPEECH" in console.file.getvalue()


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
