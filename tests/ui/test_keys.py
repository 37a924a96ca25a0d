"""What the keys of the live view ask for."""

from __future__ import annotations

import threading

import pytest
from made import spoken
from scenes import decision, scene, text

from rtser.controls import Controls
from rtser.statistics import Snapshot
from rtser.ui.keyboard import keys_of
from rtser.ui.keys import Actions, Keys


class View:
    """A view without a terminal, with everything that keys can ask for."""

    def __init__(self, controls=None, **actions):
        self.controls = controls or Controls(0.4, 4.0)
        self.asked = []
        self.seen = scene(decision(0.3))
        told = Actions(lambda: self.asked.append("quit"), **actions)
        self.drawn = threading.Semaphore(0)
        self._keys = Keys(self.seen, threading.Lock(), self.controls, told, self.seen.forget, self.drawn.release)

    def type(self, *keys):
        for key in keys:
            self._keys.press(key)


def test_q_quits():
    view = View()
    view.type("q")
    assert view.asked == ["quit"]


def test_space_pauses_and_goes_on():
    view = View()
    view.type(" ")
    assert view.controls.paused
    view.type(" ")
    assert not view.controls.paused


@pytest.mark.parametrize(("keys", "threshold"), [("+", 0.45), ("=", 0.45), ("--", 0.3), ("-" * 20, 0.0), ("+" * 20, 1)])
def test_plus_and_minus_move_the_threshold(keys, threshold):
    view = View()
    view.type(*keys)
    assert view.controls.label_threshold == pytest.approx(threshold)


def test_w_goes_through_the_windows():
    view = View()
    windows = []
    for _ in range(4):
        view.type("w")
        windows.append(view.controls.window_s)
    assert windows == [8, 1, 2, 4]


def test_r_forgets_what_was_heard_even_the_utterance_that_ends_by_it():
    view = View()
    view.type("r")
    view.seen.take(spoken(0.1, 0.3, "angry", {"angry": 0.6, "sad": 0.4}))
    assert view.controls.take_restart()
    assert not view.seen.utterances
    assert not view.seen.strip


def test_s_saves_and_the_view_tells_where():
    view = View(save=lambda: "saved rtser-1.flac .jsonl")
    view.type("s")
    assert "saved rtser-1.flac .jsonl" in text(view.seen)
    view.type("f")
    assert "saved" not in text(view.seen)


@pytest.mark.parametrize("keys", ["h", "?"])
def test_help_explains_every_part_and_the_word_uncertain(keys):
    view = View(save=str)
    view.type(*keys)
    shown = text(view.seen, 120, 60)
    parts = ["large word", "uncertain", "no speech", "level", "speech", "bars", "emotion", "attention", "utterance"]
    assert [part for part in (*parts, *view.seen.keys.values()) if part not in shown] == []
    assert "no emotion reaches the threshold" in shown
    view.type("h")
    assert view.seen.page == "now"


def test_help_that_does_not_fit_comes_in_parts():
    view = View()
    view.type("h")
    shown = [text(view.seen, 40, 12)]
    while view.seen.part + 1 < view.seen.parts:
        view.type("h")
        shown.append(text(view.seen, 40, 12))
    assert len(shown) > 5
    assert "Restart" in " ".join(shown)
    view.type("h")
    assert view.seen.page == "now"


def choosing(**statistics):
    """A view on its page of devices, and what is chosen there."""
    chosen = []
    view = View(devices=lambda: ["built-in", "usb", "virtual"], choose=chosen.append)
    view.seen.statistics = Snapshot(source="built-in", **statistics)
    view.type("d")
    for _change in ("page", "list"):
        assert view.drawn.acquire(timeout=5)
    return view, chosen


def test_d_shows_the_devices_and_a_digit_chooses_one():
    view, chosen = choosing()
    assert all(name in text(view.seen) for name in ("built-in", "usb", "virtual"))
    view.type("2")
    assert chosen == ["usb"]
    assert view.seen.page == "now"


def test_arrows_and_enter_choose_a_device_and_escape_goes_back():
    view, chosen = choosing()
    view.type("down", "down", "down", "up", "enter")
    assert chosen == ["usb"]
    view.type("d", "escape", "enter")
    assert chosen == ["usb"]


def test_the_device_in_use_is_marked_and_not_opened_again():
    view, chosen = choosing()
    assert "built-in  (in use)" in text(view.seen)
    view.type("1")
    assert chosen == []


def test_while_another_device_cannot_be_opened_one_can_go_back_to_the_old_one():
    view, chosen = choosing(trouble="usb cannot be opened (Device unavailable)")
    assert "in use" not in text(view.seen)
    view.type("1")
    assert chosen == ["built-in"]


def test_keys_that_make_no_sense_are_not_offered_and_do_nothing():
    view = View(Controls())
    assert set(view.seen.keys) == {"q", "space", "r", "f", "h"}
    view.type("d", "s", "+", "-", "w", "x")
    assert view.seen.page == "now"
    assert view.controls.label_threshold is None


def test_sequences_of_unknown_keys_are_passed_over():
    assert list(keys_of(b"q\x1b[A\x1b[15~\x1bOB \r\x1b\xc3\xa9+")) == ["q", "up", "down", " ", "enter", "escape", "+"]
