"""The server's addresses: streams, files, health, figures, refusals."""

from __future__ import annotations

import io
import json
from contextlib import ExitStack

import jsonschema
import numpy as np
import pytest
import soundfile
from conftest import ROOT, sound
from serving import alike, heard, serving, until_end
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from rtser.audio.source import MemorySource
from rtser.session import Session

SCHEMA = json.loads((ROOT / "rtser" / "events.schema.json").read_text())
PCM = (sound(2.0) * 32767).astype("<i2")
OWN = ("utc", "run", "source", "sample_rate", "step_ms", "latency_ms", "stream", "channel")


@pytest.fixture
def client(model):
    with serving(model) as made:
        yield made


@pytest.fixture
def wav():
    content = io.BytesIO()
    soundfile.write(content, PCM, 16_000, format="WAV")
    return content.getvalue()


def without_own(events):
    return [{key: value for key, value in event.items() if key not in OWN} for event in events]


def expected(model, pcm, decisions=True):
    events = Session(model).events(MemorySource([(pcm / np.float32(32768)).astype(np.float32)]))
    told = [json.loads(event.to_json()) for event in events]
    return without_own(one for one in told if decisions or one["type"] != "decision")


def ended(socket):
    """The last event before the server closes, and the code."""
    event = None
    while True:
        try:
            event = json.loads(socket.receive_text())
        except WebSocketDisconnect as closed:
            return event, closed.code


def test_a_stream_says_what_a_session_says(client, model):
    with client.websocket_connect("/v1/stream") as socket:
        events = heard(socket, PCM.tobytes())
    assert without_own(events) == expected(model, PCM)


def test_every_event_follows_the_schema(client):
    with client.websocket_connect("/v1/stream") as socket:
        events = heard(socket, PCM.tobytes())
        socket.send_text('{"type": "start"}')
        socket.send_text('{"type": "reset", "missing_s": 2}')
        socket.send_text('{"type": "finalize"}')
        events += until_end(socket)
    assert {event["type"] for event in events} >= {"start", "decision", "source", "end"}
    for event in events:
        jsonschema.validate(event, SCHEMA)


def test_channels_are_streams_of_their_own(client, model):
    both = np.stack([PCM, PCM[::-1]], axis=1)
    with client.websocket_connect("/v1/stream") as socket:
        events = heard(socket, both.tobytes(), channels=2)
    assert len({event["stream"] for event in events}) == 1
    for channel, pcm in enumerate([PCM, PCM[::-1]]):
        one = [event for event in events if event["channel"] == channel]
        assert alike(without_own(one), expected(model, pcm))


def test_float_samples_say_the_same(client, model):
    floats = (PCM / np.float32(32768)).astype("<f4").tobytes()
    with client.websocket_connect("/v1/stream") as socket:
        events = heard(socket, floats, format="f32le")
    assert without_own(events) == expected(model, PCM)


def test_another_rate_is_resampled(client):
    with client.websocket_connect("/v1/stream") as socket:
        events = heard(socket, PCM.tobytes(), rate=8_000)
    assert events[0]["sample_rate"] == 8_000
    assert events[-1]["time"] == pytest.approx(4.0, abs=0.01)


def test_a_client_can_ask_for_utterances_only(client, model):
    with client.websocket_connect("/v1/stream") as socket:
        events = heard(socket, PCM.tobytes(), events="utterances")
    assert without_own(events) == expected(model, PCM, decisions=False)


def test_one_connection_can_have_one_run_after_another(client):
    with client.websocket_connect("/v1/stream") as socket:
        first, second = heard(socket, PCM.tobytes()), heard(socket, PCM.tobytes())
    assert without_own(first) == without_own(second)
    assert first[0]["run"] != second[0]["run"]


def test_time_can_begin_later(client):
    with client.websocket_connect("/v1/stream") as socket:
        events = heard(socket, PCM.tobytes(), time=10.0)
    assert events[1]["time"] == 10.335
    assert events[-1]["time"] == 12.0


def test_the_bytes_of_half_a_sample_are_dropped_at_the_end(client, model):
    with client.websocket_connect("/v1/stream") as socket:
        events = heard(socket, PCM.tobytes() + b"\1")
    assert without_own(events) == expected(model, PCM)


def test_a_reset_drops_the_bytes_of_half_a_sample(client, model):
    with client.websocket_connect("/v1/stream") as socket:
        socket.send_text(START)
        socket.send_bytes(b"\1")
        socket.send_text('{"type": "reset"}')
        socket.send_bytes(PCM.tobytes())
        socket.send_text('{"type": "finalize"}')
        events = [event for event in until_end(socket) if event["type"] != "source"]
    assert without_own(events) == expected(model, PCM)


def test_a_form_is_refused_with_what_to_do(client, wav):
    answer = client.post("/v1/recognize", files={"file": wav})
    assert answer.status_code == 415
    assert "--data-binary" in answer.json()["problem"]


def test_an_address_that_is_asked_for_in_the_wrong_way_says_the_right_one(client):
    stream, recognize = client.get("/v1/stream"), client.get("/v1/recognize")
    assert (stream.status_code, stream.headers["upgrade"]) == (426, "websocket")
    assert "this is a WebSocket" in stream.json()["problem"]
    assert (recognize.status_code, recognize.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(("path", "method", "status"), [("/v1/nothing", "GET", 404), ("/v1/models", "POST", 405)])
def test_what_is_not_there_is_said_in_the_same_form(client, path, method, status):
    answer = client.request(method, path)
    assert answer.status_code == status
    assert answer.json()["problem"]


def test_too_many_files_at_once_are_refused(model, wav):
    with serving(model, limits={"uploads": 1}) as client:
        client.service.open(lambda _: None, live=False)
        assert client.post("/v1/recognize", content=wav).status_code == 503


NAN = np.full(10, np.nan, "<f4").tobytes()
START = '{"type": "start"}'
FLOATS = '{"type": "start", "format": "f32le"}'


@pytest.mark.parametrize(
    ("messages", "code", "words"),
    [
        (["nonsense"], 1007, "no control message"),
        ([b"\0\0"], 1003, "before start"),
        (['{"type": "finalize"}'], 1007, "send start first"),
        (['{"type": "reset"}'], 1007, "send start first"),
        ([START, START], 1007, "finalize first"),
        ([FLOATS, NAN], 1007, "NaN"),
        ([FLOATS, np.full(10, 1e30, "<f4").tobytes()], 1007, "beyond 16"),
        (['{"type": "start", "channels": 9}'], 1008, "at most 8 channels"),
        (['{"type": "start", "model": "/etc/passwd"}'], 1007, "model"),
        ([json.dumps({"type": "é" * 5_000}, ensure_ascii=False)], 1007, "no message of type"),
    ],
)
def test_who_breaks_the_rules_gets_a_code_and_a_sentence(client, messages, code, words):
    with client.websocket_connect("/v1/stream") as socket:
        for message in messages:
            socket.send_bytes(message) if isinstance(message, bytes) else socket.send_text(message)
        event, found = ended(socket)
    assert found == code
    assert event["type"] == "error"
    assert words in event["detail"]


def test_more_streams_than_allowed_are_refused_and_the_first_goes_on(model):
    with serving(model, limits={"streams": 1}) as client:
        with client.websocket_connect("/v1/stream") as first:
            first.send_text(START)
            assert json.loads(first.receive_text())["type"] == "start"
            with client.websocket_connect("/v1/stream") as second:
                second.send_text(START)
                event, code = ended(second)
            assert (code, "full" in event["detail"]) == (1013, True)
            first.send_bytes(PCM.tobytes())
            first.send_text('{"type": "finalize"}')
            assert until_end(first)[-1]["decisions"] > 0
        with client.websocket_connect("/v1/stream") as third:
            assert heard(third, PCM.tobytes())


def test_more_connections_than_allowed_are_refused_at_once(model):
    two = {"streams": 1, "uploads": 1}
    with serving(model, limits=two) as client, ExitStack() as open_ones:
        for _ in range(2):
            open_ones.enter_context(client.websocket_connect("/v1/stream"))
        with pytest.raises(WebSocketDenialResponse) as refused:
            open_ones.enter_context(client.websocket_connect("/v1/stream"))
    assert refused.value.status_code == 503
    assert refused.value.headers["Retry-After"]


@pytest.mark.parametrize(
    ("limits", "words"), [({"idle_s": 0.1}, "nothing came"), ({"idle_s": 3, "total_s": 0.1}, "are over")]
)
def test_a_connection_ends_when_its_time_is_over(model, limits, words):
    with serving(model, limits=limits) as client, client.websocket_connect("/v1/stream") as socket:
        socket.send_text(START)
        event, code = ended(socket)
    assert code == 1008
    assert words in event["detail"]


def test_a_client_that_leaves_frees_its_stream(client):
    with client.websocket_connect("/v1/stream") as socket:
        socket.send_text(START)
        socket.receive_text()
        assert client.service.streams == 1
    for _ in range(200):
        if not client.service.streams:
            break
        client.get("/health")
    assert client.service.streams == 0


def test_a_file_says_what_a_session_says(client, model, wav):
    answer = client.post("/v1/recognize", content=wav)
    assert answer.status_code == 200
    assert without_own(answer.json()["events"]) == expected(model, PCM, decisions=False)


def test_a_file_is_told_line_by_line_where_asked(client, model, wav):
    lines = {"Accept": "application/x-ndjson"}
    answer = client.post("/v1/recognize?events=decisions", content=wav, headers=lines)
    events = [json.loads(line) for line in answer.text.splitlines()]
    assert without_own(events) == expected(model, PCM)


def test_a_damaged_file_is_recognised_as_far_as_it_goes(client, wav):
    events = client.post("/v1/recognize", content=wav[: len(wav) // 2]).json()["events"]
    [error] = [event for event in events if event["type"] == "error"]
    assert "cut short" in error["detail"]
    assert events[-1]["type"] == "end"
    assert 0.9 < events[-1]["time"] < 1.1


@pytest.mark.parametrize(
    ("content", "query", "status", "words"),
    [
        (b"", "", 422, "empty"),
        (b"#EXTM3U\nfile:///etc/passwd\n", "", 422, "not an audio file"),
        (None, "?channel=1", 422, "no channel 1"),
        (None, "?channel=-1", 422, "channel"),
        (None, "?events=all", 422, "events"),
    ],
)
def test_a_file_that_cannot_be_recognised_is_refused_in_a_sentence(client, wav, content, query, status, words):
    answer = client.post(f"/v1/recognize{query}", content=wav if content is None else content)
    assert answer.status_code == status
    assert words in answer.json()["problem"]
    assert "/tmp" not in answer.text


@pytest.mark.parametrize("stated", [True, False])
def test_a_file_that_is_too_large_is_refused(model, wav, stated):
    with serving(model, limits={"upload_mb": 0.01}) as client:
        content = wav if stated else iter([wav])
        assert client.post("/v1/recognize", content=content).status_code == 413


def test_of_a_file_that_is_too_long_the_beginning_is_recognised(model):
    content = io.BytesIO()
    soundfile.write(content, np.zeros(16_000 * 60, np.int16), 16_000, format="FLAC")
    with serving(model, limits={"upload_hours": 5 / 3600}) as client:
        events = client.post("/v1/recognize", content=content.getvalue()).json()["events"]
    assert "error" in [event["type"] for event in events]
    assert events[-1]["time"] < 7


def test_health_and_metrics_tell_how_the_server_is(client, wav):
    assert client.get("/health").json() == {"live": True, "ready": True, "problem": ""}
    assert client.get("/health/ready").status_code == client.get("/health/live").status_code == 200
    client.post("/v1/recognize", content=wav)
    text = client.get("/metrics").text
    assert "rtser_uploads_total 1.0" in text
    assert "rtser_streams 0.0" in text


def test_a_server_that_drains_is_live_and_not_ready(client):
    client.service.draining = True
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 503
    assert client.post("/v1/recognize", content=b"x").status_code == 503
    with pytest.raises(WebSocketDenialResponse), client.websocket_connect("/v1/stream"):
        pass


def test_the_protocol_is_told_as_json_schemas(client):
    told = client.get("/v1/protocol").json()
    assert told["server"] == SCHEMA
    jsonschema.validate(json.loads(START), told["client"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"type": "start", "rate": 1}, told["client"])


def test_the_model_is_told(client, model):
    [told] = client.get("/v1/models").json()
    assert (told["sha256"], told["labels"]) == (model.sha256, list(model.labels))


@pytest.mark.parametrize("path", ["/v1/models", "/metrics", "/openapi.json", "/model.onnx", "/model.json"])
def test_without_the_token_nothing_but_health_and_the_page_is_told(model, path, monkeypatch):
    monkeypatch.setenv("RTSER_TOKEN", "a-token-of-some-length")
    with serving(model) as client:
        assert client.get(path).status_code == 401
        assert client.get("/health").status_code == client.get("/").status_code == 200
        with pytest.raises(WebSocketDenialResponse), client.websocket_connect("/v1/stream"):
            pass
        assert client.get("/v1/models", headers={"Authorization": "Bearer a-token-of-some-length"}).status_code == 200


def test_a_page_that_is_allowed_may_read_the_answers(model):
    page = "https://good.example"
    with serving(model, access={"origins": [page]}) as client:
        answer = client.get("/v1/models", headers={"Origin": page})
        assert answer.headers["access-control-allow-origin"] == page
    with serving(model) as client:
        assert client.get("/v1/models", headers={"Origin": page}).status_code == 403
