"""LiveKit Agents: a participant's audio frames in, emotion events out."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable

from livekit import rtc

import rtser
from rtser.events import DecisionEvent, UtteranceEvent


async def emotions(
    frames: AsyncIterable[rtc.AudioFrame | rtc.AudioFrameEvent],
    model: rtser.Model | None = None,
    decide: rtser.DecideSettings | None = None,
) -> AsyncIterator[DecisionEvent | UtteranceEvent]:
    """The events of a participant's sound, such as ``rtc.AudioStream(track)``.

    Args:
        frames: of any rate and channel count, which may change on the way: then the stream begins anew, at time zero.
        model: from `rtser.load`; None for the shipped one.
        decide: how decisions become labels and utterances.
    """
    told: list[DecisionEvent | UtteranceEvent] = []
    async for _ in heard(frames, told.append, model, decide):
        for event in told:
            yield event
        told.clear()
    for event in told:
        yield event


async def heard(
    frames: AsyncIterable[rtc.AudioFrame | rtc.AudioFrameEvent],
    tell: Callable[[DecisionEvent | UtteranceEvent], object],
    model: rtser.Model | None = None,
    decide: rtser.DecideSettings | None = None,
) -> AsyncIterator[rtc.AudioFrame | rtc.AudioFrameEvent]:
    """Pass frames on, and tell what is heard in them: for an agent's ``stt_node``.

    Args:
        frames, model, decide: as for `emotions`.
        tell: called with each event.
    """
    loaded = model or rtser.load()
    stream: rtser.Stream | None = None
    form: tuple[int, int] | None = None
    async for one in frames:
        frame = one.frame if isinstance(one, rtc.AudioFrameEvent) else one
        if form != (frame.sample_rate, frame.num_channels):
            for event in stream.finish() if stream else ():
                tell(event)
            form = frame.sample_rate, frame.num_channels
            stream = rtser.Stream(loaded, sample_rate=form[0], channels=form[1], decide=decide)
        assert stream is not None
        for event in stream.push(bytes(frame.data)):
            tell(event)
        yield one
    for event in stream.finish() if stream else ():
        tell(event)
