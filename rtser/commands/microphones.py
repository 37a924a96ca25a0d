"""The microphone of ``rtser listen``: it is opened or waited for, and a key can change it."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from rtser.errors import DeviceError

if TYPE_CHECKING:
    from rtser.audio.supervisor import Supervisor
    from rtser.settings import ListenSettings

logger = logging.getLogger("rtser")


class Microphones(NamedTuple):
    """The microphones that a key can choose from.

    Attributes:
        names: returns their names; takes about a second.
        choose: switches to the microphone of this name.
    """

    names: Callable[[], list[str]]
    choose: Callable[[str], object]


def supervised(settings: ListenSettings, stop: threading.Event, wait: bool) -> tuple[Supervisor, Microphones]:
    """The microphone that the settings name, not yet open, and the choice of the others.

    Args:
        settings: of ``rtser listen``.
        stop: ends the sound.
        wait: whether to wait for a microphone if there is none.
    """
    from rtser.audio.microphone import MicrophoneOpener
    from rtser.audio.supervisor import Supervisor

    opener = MicrophoneOpener(settings.device, settings.channel, settings.source.ring_s)
    waiting = _say_waiting if wait else None
    supervisor = Supervisor(opener, settings.source, stop, settings.channel, waiting=waiting)

    def choose(name: str) -> None:
        opener.choose(name)
        supervisor.change(f"changing to {name}")

    return supervisor, Microphones(names, choose)


def _say_waiting(error: DeviceError) -> None:
    logger.warning("%s; waiting for it.", error.problem)


def names() -> list[str]:
    """The names of the input devices now; empty if they cannot be listed.

    A separate process lists them: PortAudio makes its list when it starts, and it cannot restart while a device is
    open.
    """
    import json
    import subprocess

    from rtser.audio.timeouts import ANSWER_S

    command = [sys.executable, "-P", "-m", "rtser", "devices", "--json"]  # -P: no modules of the current folder
    quiet = subprocess.DEVNULL
    try:
        listed = subprocess.run(command, stdin=quiet, stdout=subprocess.PIPE, stderr=quiet, timeout=ANSWER_S).stdout
        return list(dict.fromkeys(device["name"] for device in json.loads(listed)))
    except (OSError, ValueError, subprocess.SubprocessError):
        return []


@contextmanager
def ended_after(duration_s: float | None, end: Callable[[], object]) -> Iterator[None]:
    """Call `end` after so many seconds, unless the block has ended before; None means never."""
    if duration_s is None:
        yield
        return
    timer = threading.Timer(duration_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
