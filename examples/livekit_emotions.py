"""LiveKit Agents: the emotions in a participant's frames. Here the frames come from a sound file instead of a room.

    python -m venv agent && . agent/bin/activate
    pip install livekit-agents && pip install --no-deps . && pip install -r requirements-light.txt
    python examples/livekit_emotions.py call.wav

In your own agent, use the same sound as its speech-to-text:

    class Mine(Agent):
        async def stt_node(self, audio, model_settings):
            async for event in Agent.default.stt_node(self, heard(audio, self.on_emotion), model_settings):
                yield event
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import soundfile
from livekit import rtc

from rtser.integrations.livekit import emotions


async def frames(path: str) -> AsyncIterator[rtc.AudioFrame]:
    """A file in frames of 20 ms."""
    sound, rate = soundfile.read(path, dtype="int16", always_2d=True)
    step = rate // 50
    for at in range(0, len(sound), step):
        part = sound[at : at + step]
        yield rtc.AudioFrame(part.tobytes(), rate, part.shape[1], len(part))


async def main(path: str) -> None:
    """Print the events of a file."""
    async for event in emotions(frames(path)):
        print(event.to_json(), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
