"""Samples as programs hold them become frames of float32."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtser.audio.pcm import FrameJoiner, check_format, to_frames
from rtser.errors import ArgumentError

PCM = np.array([0, 1, -1, 16_384, -32_768, 32_767], np.int16)
FLOATS = PCM.astype(np.float32) / 32_768


@pytest.mark.parametrize(
    "sound",
    [
        PCM,
        FLOATS,
        FLOATS.astype(np.float64),
        PCM.tobytes(),
        bytearray(PCM.tobytes()),
        memoryview(PCM.tobytes()),
        memoryview(PCM.tobytes() * 2)[: PCM.nbytes],
        memoryview(PCM).cast("B"),
    ],
    ids=["int16", "float32", "float64", "bytes", "bytearray", "memoryview", "part of a memoryview", "cast memoryview"],
)
def test_every_kind_of_samples_gives_the_same_frames(sound):
    frames = to_frames(sound, 2)
    assert frames.dtype == np.float32
    assert frames.tolist() == FLOATS.reshape(3, 2).tolist()


def test_several_channels_are_interleaved_or_columns():
    assert to_frames(PCM.reshape(2, 3), 3).tolist() == to_frames(PCM, 3).tolist()


def test_an_array_that_is_no_plain_row_of_memory_is_read_as_what_it_shows():
    assert to_frames(PCM[::-2], 1)[:, 0].tolist() == FLOATS[::-2].tolist()
    assert to_frames(PCM.reshape(2, 3).T, 2).tolist() == FLOATS.reshape(2, 3).T.tolist()


def test_the_frames_are_a_copy():
    sound = FLOATS.copy()
    frames = to_frames(sound, 1)
    sound[:] = 9
    assert frames[:, 0].tolist() == FLOATS.tolist()


def test_what_is_too_large_for_float32_is_infinite_without_a_warning(recwarn):
    assert np.isinf(to_frames(np.array([1e300]), 1)).all()
    assert not recwarn


@pytest.mark.parametrize(
    ("sound", "channels", "words"),
    [
        ([0.0, 0.1], 1, "not list"),
        ("abc", 1, "not str"),
        (np.zeros(4, np.int32), 1, "not int32"),
        (np.zeros(4, ">i2"), 1, "not >i2"),
        (np.zeros(5, np.int16), 2, r"shape \(n, 2\), not \(5,\)"),
        (np.zeros((4, 3), np.float32), 2, r"shape \(n, 2\), not \(4, 3\)"),
        (np.zeros((2, 2, 2), np.float32), 2, r"not \(2, 2, 2\)"),
        (np.float32(0.5), 1, "not float32"),
        (b"abc", 1, "no whole number"),
        (memoryview(np.zeros(4, np.float32)), 1, r"not of format 'f'; use \.cast\('B'\)"),
    ],
)
def test_what_is_no_sound_is_refused_in_one_sentence(sound, channels, words):
    with pytest.raises(ArgumentError, match=words):
        to_frames(sound, channels)


@given(st.lists(st.integers(0, 9), max_size=20), st.integers(1, 3))
def test_pcm_bytes_may_be_cut_anywhere(sizes, channels):
    content, joiner, at, parts = PCM.tobytes(), FrameJoiner(channels), 0, []
    for size in [*sizes, len(content)]:
        parts.append(joiner.join(content[at : at + size]))
        at += size
    assert np.concatenate(parts).tolist() == FLOATS.reshape(-1, channels).tolist()


def test_an_array_cannot_continue_half_a_frame():
    joiner = FrameJoiner(2)
    assert joiner.join(PCM.tobytes()[:7]).tolist() == [FLOATS[:2].tolist()]
    with pytest.raises(ArgumentError, match="ended in the middle of a frame"):
        joiner.join(PCM)
    assert joiner.join(PCM.tobytes()[7:]).tolist() == FLOATS[2:].reshape(2, 2).tolist()
    assert joiner.join(PCM).tolist() == FLOATS.reshape(3, 2).tolist()


@pytest.mark.parametrize(
    ("sample_rate", "channels", "channel", "words"),
    [
        ("16000", 1, None, "sample_rate must be a whole number, not '16000'"),
        (None, 1, None, "sample_rate must be a whole number, not None"),
        (44_100.0, 1, None, "sample_rate must be a whole number"),
        (7_999, 1, None, "7999 Hz is outside 8000 to 192000 Hz"),
        (16_000, "2", None, "channels must be a whole number, not '2'"),
        (16_000, 0, None, "1 to 256 channels, not 0"),
        (16_000, 48_000, None, r"not 48000; samples are \(n, channels\)"),
        (16_000, 2, 2, "no channel 2 of 2, counted from 0"),
        (16_000, 2, -1, "no channel -1 of 2"),
        (16_000, 2, "left", "channel must be a whole number, not 'left'"),
    ],
)
def test_a_format_that_cannot_be_is_refused_in_one_sentence(sample_rate, channels, channel, words):
    with pytest.raises(ArgumentError, match=words):
        check_format(sample_rate, channels, channel)


def test_numbers_of_numpy_are_whole_numbers_too():
    check_format(np.int64(48_000), np.int32(2), np.uint8(1))
