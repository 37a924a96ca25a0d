"""Results that are remembered, with several threads."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from rtser_train.memo import last_of_all_threads, last_of_each_thread


def in_threads(function, count=4):
    """What the function returns in threads that all run at the same time."""
    barrier = threading.Barrier(count)

    def call(_):
        barrier.wait()
        return function()

    with ThreadPoolExecutor(count) as threads:
        return list(threads.map(call, range(count)))


def test_each_thread_makes_its_own_and_keeps_it():
    make = last_of_each_thread(object)
    pairs = in_threads(lambda: (make(), make()))
    assert all(first is second for first, second in pairs)
    assert len({id(first) for first, _ in pairs}) == 4


def test_all_threads_share_what_the_first_made():
    calls = []

    @last_of_all_threads
    def slow(key):
        calls.append(key)
        time.sleep(0.05)
        return object()

    assert len(set(in_threads(lambda: slow("a")))) == 1
    assert calls == ["a"]


def test_another_argument_is_another_result():
    for remember in (last_of_each_thread, last_of_all_threads):
        double = remember(lambda x: 2 * x)
        assert [double(x) for x in (1, 2, 1)] == [2, 4, 2]
