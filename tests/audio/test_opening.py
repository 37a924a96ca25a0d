"""Opening a sound by its name."""

from __future__ import annotations

import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import fsspec
import numpy as np
import pytest
from conftest import ROOT

from rtser.audio.file import AudioFile, read_audio
from rtser.errors import InputError

DEMO = ROOT / "rtser" / "samples" / "demo.flac"


@pytest.fixture
def store():
    """A folder in memory, as fsspec sees S3 and others."""
    memory = fsspec.filesystem("memory")
    memory.pipe("/calls/a.flac", DEMO.read_bytes())
    memory.pipe("/calls/empty.wav", b"")
    memory.pipe("/calls/a.txt", b"hello")
    yield "memory://calls"
    memory.rm("/calls", recursive=True)


def test_a_url_is_read(store):
    assert np.array_equal(read_audio(f"{store}/a.flac"), read_audio(DEMO))
    with AudioFile(f"{store}/a.flac") as audio:
        assert audio.name == f"{store}/a.flac"


@pytest.fixture
def web():
    """A web server of the sample's folder, on loopback."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(DEMO.parent)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def test_a_file_on_a_web_server_is_read(web):
    assert np.array_equal(read_audio(f"{web}/{DEMO.name}"), read_audio(DEMO))


@pytest.mark.parametrize("url", ["{web}/absent.flac", "http://127.0.0.1:9/a.flac"])
def test_what_a_web_server_does_not_give_is_said(web, url):
    with pytest.raises(InputError, match=r"it is not there, or its server cannot be reached"):
        AudioFile(url.format(web=web))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("none.wav", r"none.wav cannot be read \("),
        ("empty.wav", "empty.wav is empty"),
        ("a.txt", r"calls/a.txt is not an audio file that can be read \("),
    ],
)
def test_what_a_url_does_not_hold_is_said(store, name, words):
    with pytest.raises(InputError, match=words):
        AudioFile(f"{store}/{name}")


def test_a_store_that_nobody_knows_is_refused():
    with pytest.raises(InputError, match=r"nowhere://a.wav cannot be read \(.*nowhere"):
        AudioFile("nowhere://a.wav")


def test_without_the_package_its_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(InputError, match=r"URLs need the package fsspec; .*'\.\[remote\]'"):
        AudioFile("https://example.org/a.wav")
