"""Who may use the server."""

from __future__ import annotations

import base64

import pytest
from starlette.datastructures import Headers

from rtser.errors import InputError
from rtser.serve.access import Access, is_loopback
from rtser.serve.settings import ServeSettings

TOKEN = "a-token-of-some-length"


def access(host="127.0.0.1", **settings):
    return Access(ServeSettings.model_validate({"host": host, "access": settings}))


def status(guard, **headers):
    named = {name.replace("_", "-"): value for name, value in {"host": "localhost:8765", **headers}.items()}
    refusal = guard.refusal(Headers(named), "http")
    return refusal.status if refusal else 200


@pytest.fixture
def guarded(monkeypatch):
    monkeypatch.setenv("RTSER_TOKEN", TOKEN)
    return access(host="0.0.0.0")


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("::", False), ("10.0.0.1", False)],
)
def test_loopback_is_what_this_machine_alone_reaches(host, loopback):
    assert is_loopback(host) is loopback


def test_beyond_loopback_a_token_is_needed():
    with pytest.raises(InputError, match="no token"):
        access(host="0.0.0.0")


def test_beyond_loopback_a_user_can_insist_on_none():
    assert status(access(host="0.0.0.0", insecure=True)) == 200


def test_a_token_file_is_read(tmp_path):
    (tmp_path / "token").write_text(TOKEN + "\n")
    guard = access(token_file=tmp_path / "token")
    assert status(guard, authorization=f"Bearer {TOKEN}") == 200


@pytest.mark.parametrize("content", ["", "short", "a token with spaces in it", "ein-schönes-token-aus-sechzehn"])
def test_a_token_that_is_none_is_refused(tmp_path, content):
    (tmp_path / "token").write_text(content)
    with pytest.raises(InputError, match="token"):
        access(token_file=tmp_path / "token")


def test_a_token_file_that_is_missing_is_named(tmp_path):
    with pytest.raises(InputError, match="cannot be read"):
        access(token_file=tmp_path / "token")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, 401),
        ({"authorization": f"Bearer {TOKEN}"}, 200),
        ({"authorization": f"bearer {TOKEN}"}, 200),
        ({"authorization": f"Basic {TOKEN}"}, 401),
        ({"authorization": "Bearer wrong-token-of-length"}, 401),
        ({"authorization": "Bearer ümlaut"}, 401),
        ({"sec_websocket_protocol": f"rtser.v1, rtser.token.{base64.urlsafe_b64encode(TOKEN.encode()).decode()}"}, 200),
        ({"sec_websocket_protocol": "rtser.v1, rtser.token.%%%"}, 401),
    ],
)
def test_a_client_brings_the_token_as_bearer_or_as_a_subprotocol(guarded, headers, expected):
    assert status(guarded, **headers) == expected


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("http://localhost:8765", 200),
        ("http://evil.example", 403),
        ("https://localhost:8765", 403),
        ("null", 403),
        ("https://good.example", 200),
    ],
)
def test_other_web_pages_are_refused_unless_they_are_named(origin, expected):
    assert status(access(origins=("https://good.example",)), origin=origin) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("localhost", 200),
        ("127.0.0.1:8765", 200),
        ("[::1]:80", 200),
        ("rebound.example:8765", 403),
        ("", 403),
        ("[", 403),
    ],
)
def test_on_loopback_the_server_answers_to_its_own_names_only(host, expected):
    assert status(access(), host=host) == expected


def test_a_further_name_can_be_given():
    assert status(access(hosts=("box.local",)), host="box.local:8765") == 200
