"""A Pipecat processor: audio frames pass through, and the emotions heard in them follow as frames and RTVI messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipecat.frames.frames import CancelFrame, DataFrame, EndFrame, Frame, InputAudioRawFrame
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame

import rtser
from rtser.events import DecisionEvent, UtteranceEvent


@dataclass
class EmotionFrame(DataFrame):
    """What was heard of one user.

    Attributes:
        event: a decision whose label has changed, or an utterance.
        user_id: whose sound it is, where the transport says it; else the source's name, or empty.
    """

    event: DecisionEvent | UtteranceEvent | None = None
    user_id: str = ""


class EmotionProcessor(FrameProcessor):
    """Hears emotion in what users say; put it behind the transport's input. All frames are passed on.

    Each user, or each source of the transport, is a stream of its own. An `EmotionFrame` goes downstream for each
    utterance, and for each decision whose label is another one than before. The client gets the same as RTVI server
    messages.

    Args:
        model: from `rtser.load`; None for the shipped one.
        decide: how decisions become labels and utterances.
        rtvi: whether the client is told.
        **named: of `FrameProcessor`.
    """

    def __init__(
        self,
        model: rtser.Model | None = None,
        decide: rtser.DecideSettings | None = None,
        rtvi: bool = True,
        **named: Any,
    ) -> None:
        super().__init__(**named)
        self._model, self._decide, self._rtvi = model or rtser.load(), decide, rtvi
        self._streams: dict[tuple[str, int, int], rtser.Stream] = {}
        self._labels: dict[str, str | None] = {}

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Pass a frame on, and hear it where it is a user's sound."""
        await super().process_frame(frame, direction)
        if isinstance(frame, EndFrame | CancelFrame):
            for (user, _, _), stream in self._streams.items():
                await self._tell(user, stream.finish())
            self._streams.clear()
        await self.push_frame(frame, direction)
        if isinstance(frame, InputAudioRawFrame):
            user = str(getattr(frame, "user_id", "") or frame.transport_source or "")
            key = user, frame.sample_rate, frame.num_channels
            if key not in self._streams:
                form = {"sample_rate": frame.sample_rate, "channels": frame.num_channels}
                self._streams[key] = rtser.Stream(self._model, decide=self._decide, **form)
            await self._tell(user, self._streams[key].push(frame.audio))

    async def _tell(self, user: str, events: list[DecisionEvent | UtteranceEvent]) -> None:
        for event in events:
            if isinstance(event, DecisionEvent):
                if event.label == self._labels.get(user):
                    continue
                self._labels[user] = event.label
            await self.push_frame(EmotionFrame(event=event, user_id=user))
            if self._rtvi:
                message = {"type": "emotion", "user_id": user, "event": event.content()}
                await self.push_frame(RTVIServerMessageFrame(data=message))
