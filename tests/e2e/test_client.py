"""The client on a real server: the events of `rtser file`, and a life through lost connections."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
import soundfile
from conftest import ROOT
from test_serve_command import serving

import rtser
from rtser.audio.source import Gap
from rtser.client import Client, RefusedError
from rtser.errors import ArgumentError, UnavailableError

pytestmark = pytest.mark.e2e

SOUND = soundfile.read(ROOT / "rtser" / "samples" / "demo.flac", dtype="int16")[0]
QUICK = {"retry_min_s": 0.05, "retry_max_s": 0.2}


@pytest.fixture(scope="module")
def server():
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def expected():
    return rtser.recognise((SOUND, 16_000))


def of(kind, events):
    return [event for event in events if event.type == kind]


async def told(client, parts, then=None, events=None):
    """The events of sound that is sent in parts; `then(number)` is called after each."""
    events = [] if events is None else events

    async def collect():
        async for event in client:
            events.append(event)

    collecting = asyncio.create_task(collect())
    for number, part in enumerate(parts):
        await client.send(part)
        if then:
            await then(number)
    await client.finish()
    await asyncio.wait_for(collecting, 30)
    return events


def hops(count):
    """The first parts of the sample, each of 60 ms."""
    return [SOUND[960 * number : 960 * (number + 1)] for number in range(count)]


@contextmanager
def starting_again(server):
    """Yield a function that starts a server where one was; what it started ends with the block."""
    command, started = [sys.executable, "-m", "rtser", "serve", "--port", str(server.port)], []
    try:
        yield lambda: started.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, env=os.environ))
    finally:
        for process in started:
            process.kill()
            process.wait()


def test_its_events_are_those_of_the_library(server, expected):
    async def run():
        async with Client(server.http) as client:
            return await told(client, [part.tobytes() for part in np.array_split(SOUND, 70)])

    events = asyncio.run(run())
    assert events[0].type == "start"
    assert of("decision", events) == expected.decisions
    assert [one for one in of("utterance", events) if one.final] == expected.utterances
    assert events[-1].decisions == len(expected.decisions)


@pytest.mark.parametrize("form", ["s16le", "f32le"])
def test_arrays_say_the_same_as_bytes(server, expected, form):
    async def run():
        async with Client(server.ws, sample_format=form, events="utterances") as client:
            return await told(client, [(SOUND / np.float32(32768)).astype(np.float32)])

    events = asyncio.run(run())
    assert of("decision", events) == []
    assert [one.label for one in of("utterance", events) if one.final] == [one.label for one in expected.utterances]


def test_a_break_of_the_source_is_told_in_its_own_words(server):
    async def run():
        async with Client(server.ws) as client:

            async def then(number):
                if number == 0:
                    await client.broken(Gap("open", "the headset is back", 16_000))

            return await told(client, [SOUND[:80_000], SOUND[80_000:112_000]], then)

    [source] = of("source", events := asyncio.run(run()))
    assert (source.state, source.detail, source.missing_samples) == ("open", "the headset is back", 16_000)
    assert source.time == 6.0
    assert events[-1].time == 8.0
    assert events[-1].missing_samples == 16_000


def test_a_server_that_is_killed_and_started_again_costs_a_gap():
    async def run(first, start_again):
        async with Client(first.ws, **QUICK) as client:

            async def then(number):
                await asyncio.sleep(0.06)
                if number == 20:
                    first.process.send_signal(signal.SIGKILL)
                    first.process.wait()
                elif number == 30:
                    start_again()
                elif number > 30 and number % 20 == 0:
                    await asyncio.sleep(0.5)

            return await told(client, hops(160), then)

    with serving() as first, starting_again(first) as start_again:
        events = asyncio.run(run(first, start_again))
    lost, back = of("source", events)
    assert (lost.state, back.state) == ("lost", "open")
    assert back.missing_samples > 0
    assert len(of("start", events)) == 1
    assert events[-1].type == "end"
    assert events[-1].time == pytest.approx(160 * 0.06)
    assert events[-1].missing_samples == back.missing_samples
    after = [one for one in of("decision", events) if one.time > back.time]
    assert after
    assert after[0].time == pytest.approx(back.time + 0.335, abs=0.07)


def test_the_end_comes_though_the_server_is_gone():
    events = []

    async def run(server):
        async with Client(server.ws, **QUICK) as client:

            async def kill(number):
                if number == 0:
                    server.process.kill()
                    server.process.wait()
                    await asyncio.sleep(0.3)

            await told(client, [SOUND[:16_000], SOUND[:16_000]], kill, events)

    with serving() as server, pytest.raises(UnavailableError, match="was gone"):
        asyncio.run(run(server))
    assert [event.type for event in events[-2:]] == ["error", "end"]
    assert events[-1].time == 2.0
    assert events[-1].missing_samples > 0


def test_who_has_no_token_is_told_at_once():
    with serving(environment={"RTSER_TOKEN": "a-token-of-some-length"}) as guarded:

        async def enter(token):
            async with Client(guarded.ws, token=token) as client:
                await client.finish()
                return [event.type async for event in client]

        with pytest.raises(RefusedError, match="token"):
            asyncio.run(enter(None))
        assert asyncio.run(enter("a-token-of-some-length")) == ["start", "end"]


def test_a_server_that_is_not_there_is_told():
    async def enter():
        async with Client("ws://127.0.0.1:9"):
            pass

    begun_s = time.monotonic()
    with pytest.raises(UnavailableError, match="cannot be reached"):
        asyncio.run(enter())
    assert time.monotonic() - begun_s < 10


@pytest.mark.parametrize("url", ["", "localhost:8765", "ftp://localhost", "ws://"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(ArgumentError, match="not the address"):
        Client(url)


def test_a_server_that_ends_in_order_is_called_again():
    async def run(first, start_again):
        async with Client(first.ws, **QUICK) as client:

            async def then(number):
                await asyncio.sleep(0.03)
                if number == 20:
                    first.process.send_signal(signal.SIGTERM)
                    await asyncio.to_thread(first.process.wait)
                    start_again()
                    await asyncio.sleep(3.0)

            return await told(client, hops(100), then)

    with serving("--set", "drain_s=0") as first, starting_again(first) as start_again:
        events = asyncio.run(run(first, start_again))
    assert [event.state for event in of("source", events)] == ["lost", "open"]
    assert [event.type for event in events].count("end") == 1
    assert events[-1].time == 6.0
    assert any(one.time > 3 for one in of("decision", events))


def test_a_pause_longer_than_the_server_waits_ends_nothing(monkeypatch):
    monkeypatch.setattr("rtser.client.ALIVE_S", 0.3)

    async def run(server):
        async with Client(server.ws) as client:

            async def pause(number):
                if number == 0:
                    await asyncio.sleep(2.5)

            return await told(client, [SOUND[:16_000], SOUND[16_000:32_000]], pause)

    with serving("--set", "limits.idle_s=1") as server:
        events = asyncio.run(run(server))
    assert of("source", events) == []
    assert events[-1].decisions == 28


def test_what_is_skipped_is_told_where_it_was_and_counted_once(server):
    async def run():
        async with Client(server.ws) as client:

            async def then(number):
                if number == 0:
                    await client.broken(Gap("skipped", "too late", 16_000))

            return await told(client, [SOUND[:16_000], SOUND[16_000:32_000]], then)

    events = asyncio.run(run())
    [source] = of("source", events)
    assert (source.state, source.time) == ("skipped", 1.0)
    assert (events[-1].dropped_samples, events[-1].missing_samples) == (16_000, 0)
