"""The terminal of the live view is taken and restored."""

from __future__ import annotations

import io
import threading

from rich.console import Console

from rtser.ui.terminal import Terminal


def test_of_two_threads_that_close_it_one_restores_it_and_the_other_waits(monkeypatch):
    begun, proceed, closed = threading.Event(), threading.Event(), []

    def close(_keyboard):
        begun.set()
        assert proceed.wait(5)
        closed.append(threading.current_thread())

    monkeypatch.setattr("rtser.ui.keyboard.Keyboard.close", close)
    terminal = Terminal(Console(file=io.StringIO(), force_terminal=True))
    terminal.open()
    first, second = (threading.Thread(target=terminal.close) for _ in range(2))
    first.start()
    assert begun.wait(5)
    second.start()
    second.join(0.2)
    waited = second.is_alive()
    proceed.set()
    for thread in (first, second):
        thread.join(5)
    assert waited
    assert closed == [first]
