"""Load a running `rtser serve` with many live streams of real speech, and compare its events with `rtser file`.

    rtser serve --port 8765 &
    python tools/load.py ws://127.0.0.1:8765/v1/stream speech/*.wav --streams 100 --seconds 300

Each stream sends one recording after another in real time. Lateness is the time from sending a segment's last sample to
receiving its decision, in milliseconds, over all streams. The events of each run are compared with those of
`rtser.recognise`: labels, times and counts must be equal, probabilities equal within 1e-4. Harmful clients run at the
same time: --refused clients connect again and again, --stalled clients send sound and never read.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import websockets
from websockets.asyncio.client import connect

import rtser
from rtser.audio.file import read_audio

SAMPLE_RATE = 16_000
TOLERANCE = 1e-4
NOT_COMPARED = ("utc", "run", "stream", "channel", "source", "step_ms", "latency_ms", "sample_rate")


@dataclass
class Found:
    """The measurements so far."""

    late_s: list[float] = field(default_factory=list)
    runs: int = 0
    decisions: int = 0
    different: list[str] = field(default_factory=list)
    ended: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Speech:
    """A recording as PCM, and its expected events."""

    path: str
    pcm: bytes
    events: list[dict[str, Any]]


def main() -> None:
    """Load, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("files", nargs="+", help="recordings")
    parser.add_argument("--streams", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--frame-ms", type=int, default=60)
    parser.add_argument("--recordings", type=int, default=40, help="number of files to use")
    parser.add_argument("--refused", type=int, default=0)
    parser.add_argument("--stalled", type=int, default=0)
    parser.add_argument("--events", choices=["decisions", "utterances"], default="decisions")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    paths = sorted(options.files)
    random.Random(0).shuffle(paths)
    model = rtser.load()
    speech = [known(path, model) for path in paths[: options.recordings]]
    found = asyncio.run(load(options, speech))
    late_ms = 1000 * np.percentile(found.late_s, [50, 95, 99, 100]) if found.late_s else np.full(4, np.nan)
    result = {
        "streams": options.streams,
        "seconds": options.seconds,
        "runs": found.runs,
        "decisions": found.decisions,
        "late_ms": dict(zip(["p50", "p95", "p99", "max"], late_ms.round(1).tolist(), strict=True)),
        "different": len(found.different),
        "ended": dict(found.ended),
    }
    print(json.dumps(result) if options.json else "\n".join(f"{key}: {value}" for key, value in result.items()))
    for line in found.different[:5]:
        print(line)
    raise SystemExit(bool(found.different or not found.runs))


def known(path: str, model: rtser.Model) -> Speech:
    """A recording, and its expected events, recognised from the same 16-bit PCM that is sent."""
    pcm = (read_audio(path) * 32767).astype("<i2")
    events: list[dict[str, Any]] = []

    class Keep:
        def write(self, event: rtser.Event) -> None:
            events.append(json.loads(event.to_json()))

        def close(self) -> None:
            pass

    from rtser.audio.source import MemorySource
    from rtser.session import Session

    floats = (pcm / np.float32(32768)).astype(np.float32)
    Session(model).run(MemorySource([floats]), [Keep()])
    return Speech(path, pcm.tobytes(), events)


async def load(options: argparse.Namespace, speech: list[Speech]) -> Found:
    """Run all clients for the given time."""
    found, end_s = Found(), time.perf_counter() + options.seconds
    async with asyncio.TaskGroup() as group:
        for index in range(options.streams):
            group.create_task(talk(options, speech, index, end_s, found))
        await asyncio.sleep(min(2.0, options.seconds / 4))
        for _ in range(options.refused):
            group.create_task(knock(options.url, end_s, found))
        for _ in range(options.stalled):
            group.create_task(stall(options.url, speech[0].pcm, end_s, found))
    return found


async def talk(options: argparse.Namespace, speech: list[Speech], index: int, end_s: float, found: Found) -> None:
    """Run one stream: recordings one after another, in real time."""
    rng = random.Random(index)
    await asyncio.sleep(rng.random())
    async with connect(options.url, max_queue=None, compression=None, subprotocols=["rtser.v1"]) as socket:
        while time.perf_counter() < end_s:
            one = rng.choice(speech)
            sent: list[float] = []
            events: list[dict[str, Any]] = []
            start = {"type": "start", "events": options.events}
            await socket.send(json.dumps(start))
            hearing = asyncio.create_task(hear(socket, events, sent, options.frame_ms, found))
            step = 2 * SAMPLE_RATE * options.frame_ms // 1000
            begin_s = time.perf_counter()
            for number, at in enumerate(range(0, len(one.pcm), step)):
                due_s = begin_s + (number + 1) * options.frame_ms / 1000
                await asyncio.sleep(max(0.0, due_s - time.perf_counter()))
                sent.append(time.perf_counter())
                await socket.send(one.pcm[at : at + step])
            await socket.send('{"type":"finalize"}')
            await hearing
            found.runs += 1
            if difference := compared(events, one.events, options.events):
                found.different.append(f"{one.path}: {difference}")


async def hear(
    socket: websockets.ClientConnection, events: list[dict[str, Any]], sent: list[float], frame_ms: int, found: Found
) -> None:
    """Read the events of one run, and measure how late its decisions are."""
    while not events or events[-1]["type"] != "end":
        event = json.loads(await socket.recv())
        now_s = time.perf_counter()
        events.append(event)
        if event["type"] == "decision":
            frame = -(-round(event["time"] * SAMPLE_RATE) // (SAMPLE_RATE * frame_ms // 1000)) - 1
            found.late_s.append(now_s - sent[frame])
            found.decisions += 1


async def knock(url: str, end_s: float, found: Found) -> None:
    """Connect again and again, and leave at once if admitted."""
    while time.perf_counter() < end_s:
        try:
            async with connect(url):
                await asyncio.sleep(0.2)
            found.ended["let in"] += 1
        except websockets.InvalidStatus as error:
            found.ended[str(error.response.status_code)] += 1
        except (websockets.WebSocketException, OSError, TimeoutError) as error:
            found.ended[type(error).__name__] += 1
        await asyncio.sleep(1.0 + random.random())


async def stall(url: str, pcm: bytes, end_s: float, found: Found) -> None:
    """Send sound as fast as possible, and never read."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):  # refused
        host, port = url.split("//")[1].split("/")[0].split(":")
        reader, writer = await asyncio.open_connection(host, int(port), limit=1024)
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        writer.write(
            f"GET /v1/stream HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )
        await reader.readuntil(b"\r\n\r\n")
        writer.write(frame(b'{"type":"start"}', text=True))
        at = 0
        while time.perf_counter() < end_s and not writer.is_closing():
            writer.write(frame(pcm[at : at + 8000] or pcm[:8000]))
            at = (at + 8000) % max(1, len(pcm) - 8000)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await writer.drain()
        writer.transport.abort()
    found.ended["stalled"] += 1


def frame(content: bytes, text: bool = False) -> bytes:
    """A masked WebSocket frame (RFC 6455, section 5.2); the mask is zero."""
    head = bytes([0x81 if text else 0x82])
    size = len(content)
    length = bytes([0x80 | size]) if size < 126 else bytes([0x80 | 126]) + size.to_bytes(2, "big")
    return head + length + bytes(4) + content


def compared(events: list[dict[str, Any]], expected: list[dict[str, Any]], told: str) -> str:
    """The difference between the events of the server and those of `rtser file`; empty if there is none."""
    if told == "utterances":
        expected = [one for one in expected if one["type"] != "decision"]
    if len(events) != len(expected):
        return f"{len(events)} events in place of {len(expected)}"
    for one, other in zip(events, expected, strict=True):
        if difference := differs(one, other):
            return f"{one['type']} at {one.get('time', one.get('start'))}: {difference}"
    return ""


def differs(one: Any, other: Any, key: str = "") -> str:
    """The difference between two values; empty if there is none."""
    if isinstance(one, dict) and isinstance(other, dict):
        for name in (one.keys() | other.keys()) - set(NOT_COMPARED):
            if name not in one or name not in other:
                return f"{name} is missing"
            if difference := differs(one[name], other[name], f"{key}.{name}"):
                return difference
        return ""
    close = isinstance(one, float) and isinstance(other, float) and abs(one - other) <= TOLERANCE
    return "" if one == other or close else f"{key} is {one} in place of {other}"


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
