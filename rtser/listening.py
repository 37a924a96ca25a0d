"""Listen to a microphone from a program."""

from __future__ import annotations

import threading
from collections.abc import Generator

from rtser.audio.microphone import MicrophoneOpener
from rtser.audio.supervisor import Supervisor
from rtser.engine.decider import DecideSettings
from rtser.engine.model import Model
from rtser.engine.voice import StreamVoice
from rtser.errors import ArgumentError
from rtser.events import Event
from rtser.session import Session
from rtser.settings import SourceSettings


def listen(
    model: Model,
    device: str | int | None = None,
    *,
    channel: int | None = None,
    window_s: float | None = None,
    decide: DecideSettings | None = None,
    source: SourceSettings | None = None,
    stop: threading.Event | None = None,
    embeddings: bool = False,
    voice: StreamVoice | None = None,
) -> Generator[Event]:
    """Recognise what a microphone picks up, as `rtser listen` does. A device that is lost is opened again.

    The events come on the caller's thread. If the caller is busy and sound waits longer than ``source.max_lag_ms``,
    the sound is skipped, and an event says so. Leaving the loop closes the device.

    Examples:
        >>> import rtser
        >>> for event in rtser.listen(rtser.load(), device="usb"):  # doctest: +SKIP
        ...     if isinstance(event, rtser.DecisionEvent) and event.label:
        ...         print(event.time, event.label, event.confidence)

    Args:
        model: from `rtser.load`.
        device: input device: its name, part of it, or its index (`rtser devices`); None for the default one.
        channel: which channel to use, counted from 0; None for the mean of the first two.
        window_s: length of the decision window in seconds; None for the model's own.
        decide: how decisions become labels and utterances.
        source: how the device is kept alive, and when late sound is skipped.
        stop: ends the sound once it is set, from any thread; the last events still come.
        embeddings: whether decisions have the segments' embeddings.
        voice: the speaker's voice, if known: a `rtser.Voice` or a `rtser.LearningVoice`.

    Returns:
        the events, from `StartEvent` to `EndEvent`. The device is opened when the first one is asked for.

    Raises:
        ArgumentError: an argument is of the wrong type or out of range, or the voice was heard by another model.
        DeviceError: there is no such device, or it cannot be opened; raised when the first event is asked for.
    """
    if not isinstance(device, str | int | None):
        raise ArgumentError(
            f"a device is named by text or an index, not by {type(device).__name__}", "see rtser devices"
        )
    session = Session(model, window_s, decide, embeddings=embeddings, voice=voice)
    settings = source or SourceSettings()
    opener = MicrophoneOpener(None if device is None else str(device), channel, settings.ring_s)
    stop = stop or threading.Event()
    return _events(session, Supervisor(opener, settings, stop, channel), stop)


def _events(session: Session, supervisor: Supervisor, stop: threading.Event) -> Generator[Event]:
    with supervisor as microphone:
        if not stop.is_set():  # else entering ended early, without a device
            yield from session.events(microphone)
