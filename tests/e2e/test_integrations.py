"""Pipecat and LiveKit Agents, the real packages with real frames, in an environment of their own: their pins differ
from rtser's, and they bring the CPU runtime.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys

import pytest
from conftest import ROOT

import rtser

pytestmark = pytest.mark.e2e

DEMO = ROOT / "rtser" / "samples" / "demo.flac"
PACKAGES = ["pipecat-ai>=1.14,<2", "livekit-agents>=1.8,<2"]
RTVI = """
import asyncio, json, sys
sys.path.insert(0, "examples")
import soundfile
from pipecat.frames.frames import EndFrame, UserAudioRawFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.processors.frame_processor import FrameProcessor
from pipecat.processors.frameworks.rtvi import RTVIServerMessageFrame
from pipecat.workers.runner import WorkerRunner
from rtser.integrations.pipecat import EmotionProcessor

class Client(FrameProcessor):
    async def process_frame(self, frame, direction):
        await super().process_frame(frame, direction)
        if isinstance(frame, RTVIServerMessageFrame):
            print(json.dumps(frame.data), flush=True)
        await self.push_frame(frame, direction)

async def main(path):
    sound, rate = soundfile.read(path, dtype="int16")
    task = PipelineWorker(Pipeline([EmotionProcessor(), Client()]))
    for at in range(0, len(sound), 320):
        for user in ("ann", "bob"):
            part = sound[at : at + 320] if user == "ann" else 0 * sound[at : at + 320]
            await task.queue_frame(UserAudioRawFrame(part.tobytes(), rate, 1, user_id=user))
    await task.queue_frame(EndFrame())
    runner = WorkerRunner(handle_sigint=False)
    await runner.add_workers(task)
    await runner.run()

asyncio.run(main(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """The interpreter of an environment with the light rtser and both packages."""
    folder = tmp_path_factory.mktemp("agent") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [folder / "bin" / "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *PACKAGES], check=True, timeout=500)
    subprocess.run([*pip, "--no-deps", ROOT], check=True, timeout=200, capture_output=True)
    subprocess.run([*pip, "-r", ROOT / "requirements-light.txt"], check=True, timeout=300, capture_output=True)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def expected():
    return rtser.recognise(DEMO)


def printed(python, *arguments):
    """The JSON lines that a program prints."""
    command = [str(one) for one in (python, *arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def utterances(events):
    return [(one["start"], one["end"], one["label"]) for one in events if one["type"] == "utterance" and one["final"]]


def of(expected):
    return [(one.start, one.end, one.label) for one in expected.utterances]


def test_a_pipecat_pipeline_tells_utterances_and_changes_of_the_label(python, expected):
    events = printed(python, "examples/pipecat_emotions.py", DEMO)
    assert utterances(events) == of(expected)
    labels = [event["label"] for event in events if event["type"] == "decision"]
    assert all(one != other for one, other in itertools.pairwise(labels))
    assert {one.label for one in expected.decisions} >= set(labels)


def test_pipecat_keeps_users_apart_and_tells_the_client_by_rtvi(python, expected):
    messages = printed(python, "-c", RTVI, DEMO)
    assert {message["user_id"] for message in messages} == {"ann"}  # bob says nothing
    assert utterances([message["event"] for message in messages]) == of(expected)


def test_livekit_frames_give_the_events_of_the_library(python, expected):
    events = printed(python, "examples/livekit_emotions.py", DEMO)
    assert utterances(events) == of(expected)
    assert [one["time"] for one in events if one["type"] == "decision"] == [one.time for one in expected.decisions]
