"""A file that a decoder fails on: the same results in this process as in another, and the others go on."""

from __future__ import annotations

import threading

import pytest
from conftest import ROOT

from rtser.audio.libsndfile import LibsndfileDecoder
from rtser.batch.files import FileJob, _elsewhere, one_by_one
from rtser.errors import ArgumentError
from rtser.events import EndEvent

DEMO = str(ROOT / "rtser" / "samples" / "demo.flac")


@pytest.fixture
def failing(monkeypatch):
    """A decoder that fails in the middle of the first file, with an error of its own."""
    blocks = LibsndfileDecoder.blocks
    opened = []

    def broken(decoder, most):
        opened.append(decoder)
        for number, block in enumerate(blocks(decoder, most)):
            if len(opened) == 1 and number == 5:
                raise RuntimeError("out of tables")
            yield block

    monkeypatch.setattr(LibsndfileDecoder, "blocks", broken)


@pytest.mark.usefixtures("failing")
def test_it_is_one_sentence_and_the_next_file_is_recognised(model_path):
    job = FileJob(model=model_path.read_bytes())
    told = one_by_one(job.session(), job, [DEMO, DEMO], 0, [], threading.Event(), [], lambda *_: None)
    (_, broken), (_, whole) = told
    assert str(broken.problem) == f"{DEMO} cannot be decoded (RuntimeError: out of tables)."
    assert whole.problem is None
    assert isinstance(whole.events[-1], EndEvent)


@pytest.mark.usefixtures("failing")
def test_another_process_says_the_same_and_draws_no_half_of_a_picture(model_path):
    told = _elsewhere(FileJob(model=model_path.read_bytes(), picture=True), DEMO)
    assert str(told.problem) == f"{DEMO} cannot be decoded (RuntimeError: out of tables)."
    assert told.picture is None


def test_a_session_that_cannot_be_made_is_no_fault_of_the_file(model_path):
    with pytest.raises(ArgumentError, match="window"):
        _elsewhere(FileJob(model=model_path.read_bytes(), window_s=-1.0), DEMO)
