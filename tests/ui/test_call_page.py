"""The page of one recording."""

from __future__ import annotations

import json
import ntpath
import re

from conftest import ROOT, rtser
from made import decided, ended, spoken, started

import rtser as library
from rtser.ui.call_page import call_page
from rtser.ui.page import sound_link
from rtser.ui.track import Track

DEMO = ROOT / "rtser" / "samples" / "demo.flac"
LIKELY = {"angry": 0.6, "sad": 0.4}


def page_of(*events, link="a.wav", source="a.wav"):
    track = Track(("angry", "sad"), threshold=0.4)
    for event in (started(source), *events, ended(60.0)):
        track.write(event)
    return call_page(track, link, "tiny")


def data(page):
    return json.loads(re.search("<script id=data type=application/json>(.*?)</script>", page)[1])


def test_each_utterance_can_be_played_and_says_its_emotion():
    page = page_of(spoken(1.0, 2.0, "angry", LIKELY), spoken(5.0, 6.0, None, {"angry": 0.2, "sad": 0.3}))
    assert "<button data-from=1.000>0:01.0 - 0:02.0</button>" in page
    assert "<em>angry</em>" in page
    assert "<em>uncertain</em>" in page
    assert "sad 30%" in page


def test_it_tells_the_probabilities_at_each_moment_and_none_where_nobody_speaks():
    page = page_of(decided(0.335, LIKELY), decided(0.395, None, speaking=False), decided(0.455, LIKELY))
    assert data(page)["values"] == [[60, 40], [None, None], [60, 40]]
    assert page.count("<polyline") == 4


def test_a_long_recording_is_drawn_with_fewer_points():
    hour = (decided(0.335 + 0.06 * hop, LIKELY) for hop in range(60_000))
    assert len(data(page_of(*hour))["values"]) == 6000


def test_names_are_shown_as_text():
    page = page_of(source="/x/<script>y</script>.wav", link="%3C'.wav")
    assert "<script>y" not in page
    assert "data-sound='%3C&#x27;.wav'" in page


def test_a_recording_on_another_drive_has_no_link(tmp_path, monkeypatch):
    (tmp_path / "a.wav").touch()
    assert sound_link(str(tmp_path / "a.wav"), tmp_path) == "a.wav"
    monkeypatch.setattr("os.path.relpath", lambda path, start: ntpath.relpath(f"D:{path}", f"C:{start}"))
    assert sound_link(str(tmp_path / "a.wav"), tmp_path) == ""


def test_the_command_writes_what_rtser_file_decides_and_links_the_sound(tmp_path):
    done = rtser("plot", DEMO, "-o", tmp_path / "new" / "x.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "new" / "x.html").read_text()
    said = library.recognise(DEMO)
    assert page.count("<button data-from=") >= len(said.utterances) == page.count("<tr data-at=")
    told = [one for one in said.decisions if one.emotions]
    assert sum(row[0] is not None for row in data(page)["values"]) == len(told)
    link = re.search("data-sound='(.*?)'", page)[1]
    assert (tmp_path / "new" / link).resolve() == DEMO
