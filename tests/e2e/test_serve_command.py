"""`rtser serve` as its users run it: the real command, real sockets, and clients that do all they should not."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

import numpy as np
import psutil
import pytest
import schemathesis
import soundfile
from conftest import ROOT, rtser
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect as connect_now

pytestmark = pytest.mark.e2e

DEMO = ROOT / "rtser" / "samples" / "demo.flac"
PCM = soundfile.read(DEMO, dtype="int16")[0].tobytes()
START = '{"type": "start"}'
OWN = ("utc", "run", "source", "step_ms", "latency_ms", "stream", "channel")
QUICK = ("--set", "limits.idle_s=3", "--set", "limits.request_s=1", "--set", "limits.slow_reader_s=1")


class Running:
    """A server in a process of its own."""

    def __init__(self, process, address):
        self.process, self.http = process, address
        self.ws = address.replace("http", "ws") + "/v1/stream"
        self.port = int(address.rpartition(":")[2])
        self.system = psutil.Process(process.pid)

    def get(self, path, **headers):
        request = urllib.request.Request(self.http + path, headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode()

    def figure(self, name):
        lines = [line for line in self.get("/metrics").splitlines() if line.startswith(f"{name} ")]
        return float(lines[0].split()[1])

    def until_free(self):
        """Wait until no stream and no connection is left."""
        for _ in range(200):
            if self.figure("rtser_streams") == self.figure("rtser_connections") == 0:
                return
            time.sleep(0.05)
        raise AssertionError("something is still connected")

    def end(self, sent=signal.SIGTERM):
        self.process.send_signal(sent)
        _, errors = self.process.communicate(timeout=30)
        return self.process.returncode, errors


@contextmanager
def serving(*options, environment=None):
    command = [sys.executable, "-m", "rtser", "serve", "--port", "0", *map(str, options)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | (environment or {})
    )
    try:
        address = process.stdout.readline().rpartition(" ")[2].strip()
        assert address.startswith("http"), process.stderr.read()
        yield Running(process, address)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.fixture(scope="module")
def server():
    with serving(*QUICK) as running:
        yield running


@pytest.fixture(scope="module")
def expected():
    result = rtser("file", DEMO, "--json")
    return [one(json.loads(line)) for line in result.stdout.splitlines()]


def one(event):
    """What is compared of an event."""
    rounded = json.loads(json.dumps(event), parse_float=lambda text: round(float(text), 3))
    return {key: value for key, value in rounded.items() if key not in OWN}


async def heard(url, pcm=PCM, step=9_600, **start):
    async with connect(url) as client:
        await client.send(json.dumps({"type": "start"} | start))
        for at in range(0, len(pcm), step):
            await client.send(pcm[at : at + step])
        await client.send('{"type": "finalize"}')
        events = []
        while not events or events[-1]["type"] != "end":
            events.append(json.loads(await client.recv()))
        return events


async def ended(client):
    """The code with which the server closes, and what it says."""
    try:
        while True:
            await asyncio.wait_for(client.recv(), 10)
    except ConnectionClosed as closed:
        return closed.rcvd.code, closed.rcvd.reason


def test_a_stream_says_what_rtser_file_says(server, expected):
    events = asyncio.run(heard(server.ws))
    assert [one(event) for event in events] == expected


def test_a_file_over_http_says_what_rtser_file_says(server, expected):
    request = urllib.request.Request(f"{server.http}/v1/recognize?events=decisions", DEMO.read_bytes(), method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        events = json.loads(answer.read())["events"]
    assert [one(event) for event in events] == expected


def test_streams_beside_harm_are_served_well_and_say_the_same(server, tmp_path):
    load = [sys.executable, ROOT / "tools" / "load.py", server.ws, DEMO, "--json"]
    many = ["--streams", "20", "--seconds", "5", "--refused", "30", "--stalled", "5"]
    result = subprocess.run([*map(str, load), *many], capture_output=True, text=True, timeout=120, cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads(result.stdout.splitlines()[0])
    assert found["different"] == 0
    assert found["runs"] == 20
    assert found["late_ms"]["p50"] < 250
    server.until_free()


def test_what_no_client_should_do_frees_everything(server):
    async def vanish():
        for index in range(60):
            client = await connect(server.ws)
            await client.send(START)
            if index % 2:
                await client.send(PCM[:32_000])
            client.transport.abort()

    async def babble():
        for message in ("{", "[]", b"\0", '{"type": "start", "rate": 1}', "x" * 300_000, b"x" * 300_000):
            async with connect(server.ws) as client:
                await client.send(message)
                code, _ = await ended(client)
                assert code in (1003, 1007, 1009)

    async def idle():
        async with connect(server.ws) as client:
            assert (await ended(client))[0] == 1008

    server.until_free()
    before = server.system.num_fds(), server.system.num_threads()
    for fault in (vanish, babble, idle):
        asyncio.run(fault())
    server.until_free()
    time.sleep(0.3)
    assert server.system.num_fds() <= before[0] + 2
    assert server.system.num_threads() <= before[1] + 2
    assert asyncio.run(heard(server.ws))[-1]["type"] == "end"


def test_ten_thousand_silent_connects_leave_the_others_served(server):
    before = server.system.num_fds()
    for _ in range(20):
        silent = [socket.socket() for _ in range(500)]
        try:
            for one_more in silent:
                one_more.setblocking(False)
                one_more.connect_ex(("127.0.0.1", server.port))
        finally:
            for one_more in silent:
                one_more.close()
    time.sleep(1.5)
    assert asyncio.run(heard(server.ws))[-1]["type"] == "end"
    server.until_free()
    assert server.system.num_fds() <= before + 5


def test_a_flood_of_tiny_messages_leaves_the_others_their_turns(server):
    async def flood():
        async with connect(server.ws, max_queue=None) as client:
            await client.send(START)
            for _ in range(20_000):
                client.protocol.send_binary(b"")
            client.transport.write(b"".join(client.protocol.data_to_send()))
            longest_s = 0.0
            for _ in range(10):
                before_s = time.monotonic()
                await asyncio.to_thread(server.get, "/health")
                longest_s = max(longest_s, time.monotonic() - before_s)
            return longest_s

    assert asyncio.run(flood()) < 1.0


class Raw:
    """A WebSocket by hand, which reads only when told to."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        lines = ["GET /v1/stream HTTP/1.1", "Host: localhost", "Upgrade: websocket", "Connection: Upgrade"]
        lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13", "", ""]
        self.socket.sendall("\r\n".join(lines).encode())
        assert b"101" in self.socket.recv(4096)

    def send(self, content, opcode=2):
        head = bytes([0x80 | opcode]) + (
            bytes([0x80 | len(content)]) if len(content) < 126 else b"\xfe" + len(content).to_bytes(2, "big")
        )
        self.socket.sendall(head + bytes(4) + content)


def test_a_client_that_never_reads_is_ended_and_its_socket_freed(server):
    server.until_free()
    before, stalled = server.system.num_fds(), []
    try:
        for _ in range(3):
            raw = Raw(server.port)
            raw.socket.settimeout(1.0)
            raw.send(START.encode(), 1)
            stalled.append(raw)
            try:
                for at in range(0, 40 * len(PCM), 32_000):
                    begin = at % len(PCM)
                    raw.send(PCM[begin : begin + 32_000])
            except OSError:
                pass  # the server reads no further
        for _ in range(150):
            if server.system.num_fds() <= before + 1:
                break
            time.sleep(0.1)
        assert server.system.num_fds() <= before + 1
    finally:
        for raw in stalled:
            raw.socket.close()


def test_pings_without_end_take_no_memory(server):
    raw = Raw(server.port)
    raw.socket.settimeout(0.5)
    before = server.system.memory_info().rss
    try:
        for _ in range(400_000):
            raw.send(b"x" * 125, 9)
    except OSError:
        pass
    finally:
        grown = server.system.memory_info().rss - before
        raw.socket.close()
    assert grown < 20e6


def test_a_second_request_that_never_ends_is_dropped(server):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" in raw.recv(4096)
        raw.sendall(b"G")
        begun_s = time.monotonic()
        while raw.recv(4096):
            pass
        assert time.monotonic() - begun_s < 5


def test_a_file_whose_answer_nobody_reads_frees_its_place(server):
    content = io.BytesIO()
    soundfile.write(content, np.zeros(16_000 * 600, np.int16), 16_000, format="FLAC")
    body = content.getvalue()
    stalled = []
    try:
        for _ in range(4):
            raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            head = f"POST /v1/recognize?events=decisions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}"
            raw.sendall(head.encode() + b"\r\n\r\n" + body)
            stalled.append(raw)
        server.until_free()
        request = urllib.request.Request(f"{server.http}/v1/recognize", DEMO.read_bytes(), method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            assert answer.status == 200
    finally:
        for raw in stalled:
            raw.close()


def test_sigterm_in_the_middle_of_a_file_says_what_is_missing():
    content = io.BytesIO()
    soundfile.write(content, np.zeros(16_000 * 3600, np.int16), 16_000, format="FLAC")
    with serving("--set", "drain_s=0") as running:
        request = urllib.request.Request(f"{running.http}/v1/recognize", content.getvalue(), method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            running.process.send_signal(signal.SIGTERM)
            events = json.loads(answer.read())["events"]
        assert [event["type"] for event in events[-2:]] == ["error", "end"]
        assert "only the first" in events[-2]["detail"]
        assert running.end() == (0, "") if running.process.poll() is None else running.process.returncode == 0


def test_half_a_handshake_and_a_header_without_end_are_dropped(server):
    for content in (b"GET /v1/stream HTTP/1.1\r\nHost: localhost\r\n", b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000):
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
            raw.sendall(content)
            while raw.recv(4096):
                pass


@pytest.mark.parametrize("path", ["/v1/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "//etc/passwd"])
def test_no_path_leads_to_a_file(server, path):
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(4096), b""))
    assert answer.startswith(b"HTTP/1.1 404")


def test_the_http_interface_keeps_to_its_own_description(server):
    # any bytes are a valid body by the description, but few of them are sound: so 422 is right
    for found in schemathesis.openapi.from_url(f"{server.http}/openapi.json").get_all_operations():
        strategy = found.ok().as_strategy()

        @settings(max_examples=20, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
        @given(strategy)
        def keeps_to_it(case):
            case.call_and_validate(base_url=server.http, excluded_checks=[positive_data_acceptance])

        keeps_to_it()


def test_sigterm_lets_streams_end_and_gives_the_others_their_last_events():
    with serving("--set", "drain_s=1") as running, connect_now(running.ws) as client:
        client.send(START)
        client.send(PCM[: 2 * 16_000 * 3])
        while json.loads(client.recv(timeout=10))["type"] != "decision":
            pass
        before_s = time.monotonic()
        running.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        with pytest.raises((InvalidStatus, OSError)):
            connect_now(running.ws)
        events = []
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                events.append(json.loads(client.recv(timeout=10)))
        code, errors = running.end() if running.process.poll() is None else (running.process.wait(), "")
        assert closed.value.rcvd.code == 1001
        assert [event["type"] for event in events[-2:]] == ["utterance", "end"]
        assert (code, errors) == (0, "")
        assert time.monotonic() - before_s < 6


def test_an_interrupt_ends_with_130():
    with serving("--set", "drain_s=0") as running:
        assert running.end(signal.SIGINT) == (130, "")


def test_tls_and_a_token(tmp_path):
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
    made += ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"]
    subprocess.run(made, check=True, capture_output=True)
    (tmp_path / "token").write_text("a-token-of-some-length")
    options = ["--certificate", tmp_path / "cert.pem", "--key", tmp_path / "key.pem", "--host", "0.0.0.0"]
    context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    context.check_hostname = False
    with serving(*options, "--token-file", tmp_path / "token") as running:
        url = f"wss://127.0.0.1:{running.port}/v1/stream"
        with pytest.raises(InvalidStatus, match="401"):
            connect_now(url, ssl=context)
        bearer = {"Authorization": "Bearer a-token-of-some-length"}
        with connect_now(url, ssl=context, additional_headers=bearer) as client:
            client.send(START)
            assert json.loads(client.recv(timeout=10))["type"] == "start"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--host", "0.0.0.0"], 2, "there is no token"),
        (["--token-file", "absent"], 2, "cannot be read"),
        (["--certificate", "absent", "--key", "absent"], 2, "certificate"),
        (["--certificate", "absent"], 2, "must be given together (--certificate and --key)"),
        (["--certificate", __file__, "--key", __file__], 2, "is not a PEM file with a certificate"),
        (["--write-page", "/proc/absent"], 6, "cannot be written"),
        (["--host", "203.0.113.1", "--insecure"], 5, "cannot be used"),
        (["--host", "no such host", "--insecure"], 5, "); name another address with --host."),
        (["--set", "limits.streams=0"], 2, "limits.streams"),
        (["--set", "limit.streams=1"], 2, "no such setting"),
        (["--model", "absent.onnx"], 3, "cannot be read"),
        (["--config", "absent.yaml"], 2, "cannot be read"),
    ],
)
def test_what_cannot_be_served_is_said_in_one_sentence(options, code, words):
    result = rtser("serve", "--port", "0", *options)
    assert result.returncode == code
    assert words in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_port_that_is_taken_is_said(server):
    result = rtser("serve", "--port", server.port)
    assert result.returncode == 5
    assert "Address already in use); name another port with --port." in result.stderr


def test_the_settings_file_is_the_shipped_one():
    assert rtser("settings", "serve").stdout == (ROOT / "configs" / "serve.yaml").read_text()


def test_settings_are_read_from_a_file(tmp_path):
    (tmp_path / "mine.yaml").write_text("limits: {streams: 3}\n")
    printed = rtser("config", "serve", "--config", tmp_path / "mine.yaml").stdout
    assert "  streams: 3 " in printed
