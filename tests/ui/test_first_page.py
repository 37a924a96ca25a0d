"""The first page of the live view: what is sure, what is not, and what there is room for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.color import Color
from scenes import LABELS, decision, scene, text

from rtser.statistics import Snapshot
from rtser.ui.bars import MARK, bars, input_line
from rtser.ui.headline import headline, word_of
from rtser.ui.keys import NAMES
from rtser.ui.layout import RECORDING, Layout
from rtser.ui.strip import strip
from rtser.ui.style import KNOWN, OTHERS

UNSURE = decision(0.3, None, probabilities=(0.37, 0.33, 0.3))


def test_while_unsure_it_shows_where_it_leans_with_a_question_mark_and_dimmed():
    word = word_of(scene(UNSURE))
    assert (word.text, word.confidence, word.sure) == ("angry?", "37%", False)
    bright = Color.parse(KNOWN["angry"]).get_truecolor()
    assert sum(word.style.color.get_truecolor()) < sum(bright) * 0.6
    assert "uncertain: leaning angry 37%, named from 40%" in text(scene(UNSURE))


def test_the_bars_carry_a_mark_at_the_threshold():
    marks = {row.plain.index(MARK) for row in bars(scene(decision(0.3)), 118)}
    assert marks == {10 + 1 + 4 + 1 + round(0.4 * 100)}
    lower = scene(decision(0.3))
    lower.threshold = 0.2
    assert {row.plain.index(MARK) for row in bars(lower, 118)} == {16 + 20}


def test_without_speech_the_bars_are_empty():
    silent = scene(decision(0.3), decision(0.36, None, speech=0.1, speaking=False))
    for row in bars(silent, 80):
        assert row.plain.replace(MARK, "").split() == [row.plain.split()[0]]


def strip_words(seen, width):
    return [word for word in strip(seen, width, 2, 1)[0].plain.replace("░", " ").split() if word != "emotion"]


@given(st.lists(st.tuples(st.sampled_from([*LABELS, None]), st.integers(1, 200)), max_size=12), st.integers(12, 200))
def test_words_on_the_strip_are_whole_or_absent(course, width):
    labels = [label for label, hops in course for _ in range(hops)]
    seen = scene(*[decision(0.06 * k, label) for k, label in enumerate(labels)])
    assert set(strip_words(seen, width)) <= {*LABELS, "uncertain"}


def test_a_word_may_run_on_into_the_silence_after_its_emotion():
    spoken = [decision(0.06 * k, "neutral") for k in range(60)]
    silence = [decision(3.6 + 0.06 * k, None, 0.0, 0.0, speaking=False) for k in range(200)]
    assert strip_words(scene(*spoken, *silence), 80) == ["neutral"]
    assert strip_words(scene(*spoken), 80) == []


def test_level_and_speech_have_no_colour_of_an_emotion():
    row = input_line(scene(decision(0.3)))
    used = {str(span.style).upper() for span in row.spans}
    assert not used & {shade.upper() for shade in (*KNOWN.values(), *OTHERS)}


@pytest.mark.parametrize("problem", ["no signal", "too quiet", "clipping"])
@pytest.mark.parametrize("size", [(40, 12), (80, 24), (160, 45)])
def test_what_is_wrong_with_the_level_is_said_with_what_to_do(problem, size):
    seen = scene(decision(0.3))
    seen.statistics = Snapshot(level_problem=problem)
    assert f" {problem}: " in text(seen, *size)


def test_what_it_listens_to_now_stands_on_top():
    seen = scene(decision(0.3))
    assert "microphone" in text(seen).splitlines()[0]
    seen.statistics = Snapshot(source="another microphone")
    assert "another microphone" in text(seen).splitlines()[0]


@pytest.mark.parametrize("label", ["angry", "neutral", None])
def test_a_large_terminal_has_large_letters_which_are_whole(label):
    seen = scene(decision(0.3, label))
    large = headline(seen, 160, high=True)
    assert len(large) == 7
    assert max(row.cell_len for row in large) <= 160
    assert "╗" in large[0].plain


def test_a_large_terminal_shows_the_last_ten_minutes():
    assert "10 minutes" in text(scene(decision(0.3)), 160, 45)
    assert "-9 min" in text(scene(decision(0.3)), 160, 45)
    assert "10 minutes" not in text(scene(decision(0.3)), 80, 24)


@pytest.mark.parametrize("width", [80, 160])
def test_the_footer_names_the_keys(width):
    foot = text(scene(keys=dict(NAMES)), width, 24).splitlines()[-1]
    assert [f"{key} {name}" for key, name in NAMES.items() if f"{key} {name}" not in foot] == []


def test_a_small_terminal_names_the_keys_that_are_needed_most():
    foot = text(scene(keys=dict(NAMES)), 40, 12).splitlines()[-1]
    assert all(word in foot for word in ("q quit", "space pause", "f figures", "h help"))


def test_without_keys_the_footer_says_how_it_ends():
    assert text(scene()).splitlines()[-1].strip() == "Ctrl-C ends"


@given(st.sampled_from(["now", "figures", "help", "devices"]), st.integers(1, 200), st.integers(1, 60))
def test_every_page_fits_any_terminal(page, width, height):
    seen = scene(decision(0.3), keys=dict(NAMES), page=page, devices=[f"microphone {n}" for n in range(30)], chosen=20)
    rows = Layout(seen).rows(width, height)
    assert len(rows) == height
    assert all(row.cell_len <= width for row in rows)


@pytest.mark.parametrize("width", [40, 80, 160])
def test_it_announces_on_top_that_sound_is_kept(width):
    seen = scene(UNSURE)
    assert RECORDING not in text(seen, width)
    seen.recorded = "all sound goes to heard.wav"
    assert RECORDING in text(seen, width).splitlines()[0]
    seen.page = "figures"
    assert "all sound goes to heard.wav" in text(seen, 80)
