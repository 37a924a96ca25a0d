"""Send a sound file to `rtser serve` over its WebSocket and print the utterances; needs the package websockets.

    rtser serve
    python examples/websocket_client.py ws://127.0.0.1:8765 call.wav

It does not use rtser, so it can be ported to any language. `rtser.client.Client` does more: it reopens lost
connections.
"""

import asyncio
import json
import sys

import soundfile
from websockets.asyncio.client import ClientConnection, connect


async def main(address: str, path: str) -> None:
    """Send the file like a live source, and read the events at the same time."""
    sound, rate = soundfile.read(path, dtype="int16", always_2d=True)
    start = {"type": "start", "rate": rate, "channels": sound.shape[1], "events": "utterances"}
    async with connect(f"{address}/v1/stream", ping_timeout=None) as server:
        await server.send(json.dumps(start))
        reading = asyncio.create_task(read(server, sound.shape[1]))  # the server slows a client that does not read
        for at in range(0, len(sound), rate // 10):
            await server.send(sound[at : at + rate // 10].tobytes())
        await server.send('{"type": "finalize"}')
        await reading


async def read(server: ClientConnection, channels: int) -> None:
    """Print the utterances until each channel has ended."""
    ended = 0
    while ended < channels:
        event = json.loads(await server.recv())
        ended += event["type"] == "end"
        if event["type"] == "utterance":
            label = event["label"] or "no sure emotion"
            print(f"channel {event['channel']}: {event['start']:.2f} to {event['end']:.2f} s  {label}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
