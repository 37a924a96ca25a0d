"""Keys that are read from a terminal."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from rtser.ui.keyboard import Keyboard

pty, termios = pytest.importorskip("pty"), pytest.importorskip("termios")


@pytest.fixture
def terminal(monkeypatch):
    """The other side of standard input, which is a terminal."""
    other, own = pty.openpty()
    with open(own) as keyboard:
        monkeypatch.setattr(sys, "stdin", keyboard)
        yield other
    os.close(other)


def test_a_key_that_fails_is_logged_and_the_next_ones_work(terminal, caplog):
    pressed, second = [], threading.Event()

    def press(key):
        pressed.append(key)
        if key == "a":
            raise ZeroDivisionError("by nothing")
        second.set()

    keyboard = Keyboard(press)
    keyboard.open()
    os.write(terminal, b"ab")
    assert second.wait(5)
    keyboard.close()
    assert pressed == ["a", "b"]
    assert "key a failed (by nothing)" in caplog.text


def test_keys_that_nobody_has_read_do_not_reach_the_shell(terminal):
    keyboard = Keyboard()
    keyboard.open()
    os.write(terminal, b"ls\n")
    keyboard.close()
    os.set_blocking(sys.stdin.fileno(), False)
    with pytest.raises(BlockingIOError):
        os.read(sys.stdin.fileno(), 8)
