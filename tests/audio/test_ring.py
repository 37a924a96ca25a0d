from __future__ import annotations

import threading

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtser.audio.ring import Ring


def frames(start, count):
    return np.arange(start, start + count, dtype=np.float32)[:, None]


@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40), st.sampled_from([0, 2**31 - 5, 2**32 - 5])
)
def test_what_is_read_is_what_was_written_but_for_the_oldest_that_are_counted_as_dropped(course, start):
    ring, expected, written, dropped = Ring(8, 1, start), [], 0, 0
    for write, read in course:
        ring.write(frames(written, write))
        expected += range(written, written + write)
        written += write
        dropped += max(0, len(expected) - 8)
        expected = expected[-8:]
        taken = ring.read(read)[:, 0].tolist()
        assert taken == expected[:read]
        expected = expected[read:]
        assert ring.waiting == len(expected)
        assert ring.written == start + written
        assert ring.dropped == dropped


def test_skipping_drops_and_counts():
    ring = Ring(10, 1)
    ring.write(frames(0, 8))
    ring.skip_to(5)
    assert ring.dropped == 5
    assert ring.read(10)[:, 0].tolist() == [5, 6, 7]


def test_every_channel_is_kept():
    ring = Ring(4, 2)
    ring.write(np.array([[1, 2], [3, 4]], np.float32))
    assert ring.read(4).tolist() == [[1, 2], [3, 4]]


def test_a_writer_on_another_thread_never_tears_what_is_read():
    ring, stop = Ring(1000, 1), threading.Event()

    def write():
        while not stop.is_set():
            ring.write(frames(ring.written, 137))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3_000):
            taken = ring.read(500)[:, 0]
            expected = np.arange(ring.read_up_to - len(taken), ring.read_up_to, dtype=np.float32)
            assert (taken == expected).all()
    finally:
        stop.set()
        writer.join()
