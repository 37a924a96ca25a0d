"""Web pages with names from strangers (labels and the name of a model, recordings): text, and never HTML."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from made import decided, ended, spoken, started

from rtser.batch.report import page
from rtser.ui.call_page import call_page
from rtser.ui.track import Track

HOSTILE = "</script><img src=x onerror=1>' onclick='1"


class Structure(HTMLParser):
    """The elements of a page with the names of their attributes, as a browser would see them, and all texts."""

    def __init__(self, content):
        super().__init__()
        self.elements, self.texts = [], []
        self.feed(content)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, sorted(name for name, _ in attributes)))
        self.texts += [value for _, value in attributes if value]

    def handle_data(self, text):
        self.texts.append(text)


def call(name):
    """The page of a call: an emotion, the model and the recording are named so."""
    likely, unsure = {name: 0.6, "sad": 0.4}, {name: 0.3, "sad": 0.2}
    track = Track((name, "sad"), threshold=0.4)
    decisions = [decided(0.335 + 0.06 * hop, likely, name) for hop in range(20)]
    said = spoken(0.0, 1.0, name, likely), spoken(2.0, 3.0, "sad", likely), spoken(4.0, 5.0, None, unsure)
    for event in (started(f"/x/{name.replace('/', '')}"), *decisions, *said, ended(60.0)):
        track.write(event)
    return call_page(track, name, name)


def report(name, folder):
    """The page of a batch: an emotion, a recording, its folder and its problem are named so."""
    path = folder / name.replace("/", "") / f"{name.replace('/', '')}.wav"
    path.parent.mkdir()
    path.touch()
    said = spoken(0.0, 1.0, name, {name: 0.6, "sad": 0.4}), spoken(2.0, 3.0, "sad", {name: 0.4, "sad": 0.6})
    events = [one.content() for one in (*said, spoken(4.0, 5.0, None, {name: 0.3, "sad": 0.2}))]
    entry = {"path": str(path), "channel": None, "duration": 60.0, "problem": name, "events": events}
    return page([entry], folder)


@pytest.mark.parametrize("kind", ["call", "report"])
def test_a_name_adds_no_element_and_no_attribute_to_a_page_and_is_shown_whole(kind, tmp_path):
    pages = [call(name) if kind == "call" else report(name, tmp_path) for name in (HOSTILE, "happy")]
    strange, usual = map(Structure, pages)
    assert strange.elements == usual.elements
    assert "img" not in dict(strange.elements)
    assert HOSTILE in strange.texts
