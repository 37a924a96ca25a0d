"""What tests of the server share: an application in this process, and a client of it."""

from __future__ import annotations

import json
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from rtser.models import default_model_path
from rtser.serve.app import make_app
from rtser.serve.service import Service
from rtser.serve.settings import ServeSettings

HOST = {"base_url": "http://localhost", "headers": {"host": "localhost"}}


@contextmanager
def serving(model, **settings):
    """A client of a server with these settings."""
    service = Service(ServeSettings.model_validate({"batch_wait_ms": 0, **settings}), model, default_model_path())
    try:
        with TestClient(make_app(service), **HOST) as client:
            client.service = service
            yield client
    finally:
        service.stop()


def heard(socket, pcm, step=3333, **start):
    """The events of PCM bytes that are sent in parts, to the end of each channel."""
    socket.send_text(json.dumps({"type": "start", **start}))
    for at in range(0, len(pcm), step):
        socket.send_bytes(pcm[at : at + step])
    socket.send_text('{"type": "finalize"}')
    return until_end(socket, start.get("channels", 1))


def until_end(socket, channels=1):
    """The events up to the end of so many channels."""
    events = []
    while sum(event["type"] == "end" for event in events) < channels:
        events.append(json.loads(socket.receive_text()))
    return events


def alike(one, other):
    """Whether two values are the same, numbers within 1e-5: what else is in a batch changes the last digits."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return one == pytest.approx(other, abs=1e-5) if isinstance(one, float) else one == other
