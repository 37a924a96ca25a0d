"""Bags from recordings."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
import soundfile
import torch
from conftest import ROOT
from rtser_train.data.bags import load_bags, read_samples, speech_share
from rtser_train.data.cache import cached
from rtser_train.data.corpora import Recording
from rtser_train.data.pools import one_thread
from rtser_train.front_end import log_mel
from threadpoolctl import threadpool_info, threadpool_limits

from rtser.audio.file import read_audio
from rtser.engine.contract import segment_count
from rtser.errors import InputError

DEMO = ROOT / "rtser" / "samples" / "demo.flac"


def test_a_bag_is_the_live_features_and_the_share_of_speech(tmp_path):
    pair = (Recording(DEMO, "demo", "synthetic", "sad", ""), 3)
    (bag,) = load_bags([pair], jobs=1, folder=tmp_path)
    (again,) = load_bags([pair], jobs=1, folder=tmp_path)
    samples = read_audio(DEMO)
    assert np.array_equal(bag.frames, log_mel(samples))
    assert np.array_equal(again.frames, bag.frames)
    assert np.array_equal(again.speech, bag.speech)
    assert bag.segments == segment_count(len(samples))
    assert bag.label == 3


def test_a_part_of_a_recording_is_a_bag_of_its_own(tmp_path):
    whole, part = (
        Recording(DEMO, "demo", "s", "sad", "", start_s=start, end_s=end) for start, end in ((0, None), (2, 5))
    )
    bags = list(load_bags([(whole, 0), (part, 0), (part, 0)], jobs=1, folder=tmp_path))
    samples = read_audio(DEMO)[2 * 16_000 : 5 * 16_000]
    assert np.array_equal(bags[1].frames, log_mel(samples))
    assert np.array_equal(bags[1].frames, bags[2].frames)
    assert bags[0].segments == segment_count(len(read_audio(DEMO)))


def test_a_part_beyond_the_end_of_its_recording_is_named(tmp_path):
    beyond = Recording(DEMO, "demo", "s", "sad", "", start_s=5, end_s=500)
    with pytest.raises(InputError, match=r"demo\.flac is 22.* s long, and 5 to 500 s lies beyond"):
        list(load_bags([(beyond, 0)], jobs=1, folder=tmp_path))


def test_the_detector_tells_speech_from_silence():
    samples = read_audio(DEMO)
    share = speech_share(samples)
    assert share[:6].max() < 0.2  # the sample begins with 0.9 s of silence
    assert (share > 0.8).mean() > 0.5


def test_extraction_leaves_the_number_of_threads_as_it_is(tmp_path):
    before = torch.get_num_threads()
    list(load_bags([(Recording(DEMO, "demo", "s", "sad", "", end_s=2), 0)], jobs=1, folder=tmp_path))
    assert torch.get_num_threads() == before


def test_threads_that_extract_at_the_same_time_get_what_one_alone_gets():
    parts = np.split(read_audio(DEMO)[: 16 * 16_000], 8)
    alone = [speech_share(part) for part in parts]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(speech_share, parts))
    assert all(np.array_equal(one, other) for one, other in zip(alone, together, strict=True))


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.wav").write_text("no audio")
    with pytest.raises(InputError, match=r"training data: .*a\.wav"):
        list(load_bags([(Recording(tmp_path / "a.wav", "c", "s", "sad", ""), 0)], jobs=1, folder=tmp_path / "cache"))


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_threads_that_overlap_leave_the_number_of_blas_threads_as_it_was():
    first_is_inside, first_may_leave = Event(), Event()

    def first():
        with one_thread():
            first_is_inside.set()
            first_may_leave.wait(1)

    def second():
        first_is_inside.wait()
        with one_thread():
            first_may_leave.set()
            return blas_threads()

    with threadpool_limits(2, user_api="blas"), ThreadPoolExecutor(2) as threads:
        before = blas_threads()
        other, inside = threads.submit(first), threads.submit(second)
        assert set(inside.result()) == {1}
        other.result()
        assert blas_threads() == before


def a_recording(folder, level):
    """A file that is written anew with another level at another time."""
    path = folder / "a.wav"
    soundfile.write(path, np.full(16_000, level), 16_000)
    os.utime(path, ns=(0, int(1e12 * level)))
    return Recording(path, "c", "s", "sad", "")


def test_a_file_written_anew_has_other_samples(tmp_path):
    levels = [read_samples(a_recording(tmp_path, level)).mean() for level in (0.25, 0.5)]
    assert levels == pytest.approx([0.25, 0.5], abs=1e-3)


def test_a_file_written_anew_is_not_found_in_the_cache(tmp_path):
    made = []
    for level in (0.25, 0.5, 0.5):
        cached(tmp_path / "cache", a_recording(tmp_path, level), b"", lambda level=level: made.append(level) or {})
    assert made == [0.25, 0.5]
