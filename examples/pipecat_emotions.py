"""A Pipecat pipeline that recognises emotion. Here its input is a sound file instead of a transport.

    python -m venv agent && . agent/bin/activate
    pip install pipecat-ai && pip install --no-deps . && pip install -r requirements-light.txt
    python examples/pipecat_emotions.py call.wav

In your own agent, put `EmotionProcessor()` after `transport.input()`.
"""

from __future__ import annotations

import asyncio
import sys

import soundfile
from pipecat.frames.frames import EndFrame, Frame, InputAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameDirection, FrameProcessor
from pipecat.workers.runner import WorkerRunner

from rtser.integrations.pipecat import EmotionFrame, EmotionProcessor


class Printer(FrameProcessor):
    """Takes the place of the part of an agent that would choose its words and voice by the emotion."""

    async def process_frame(self, frame: Frame, direction: FrameDirection) -> None:
        """Print each emotion, and pass all frames on."""
        await super().process_frame(frame, direction)
        if isinstance(frame, EmotionFrame) and frame.event:
            print(frame.event.to_json(), flush=True)
        await self.push_frame(frame, direction)


async def main(path: str) -> None:
    """Run the pipeline on a file, in frames of 20 ms."""
    sound, rate = soundfile.read(path, dtype="int16", always_2d=True)
    worker = PipelineWorker(Pipeline([EmotionProcessor(), Printer()]))
    step = rate // 50
    for at in range(0, len(sound), step):
        await worker.queue_frame(InputAudioRawFrame(sound[at : at + step].tobytes(), rate, sound.shape[1]))
    await worker.queue_frame(EndFrame())
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(worker)
    await runner.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
