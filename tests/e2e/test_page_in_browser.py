"""The web page in a real browser: both engines show what `rtser file` says, of a file and of a fake microphone."""

from __future__ import annotations

import functools
import http.server
import json
import shutil
import threading

import jsonschema
import numpy as np
import pytest
import soundfile
from conftest import ROOT, rtser
from playwright.sync_api import sync_playwright
from test_serve_command import serving

pytestmark = pytest.mark.e2e

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
RUNTIME = ROOT / "rtser" / "serve" / "web" / "ort" / "ort.wasm.min.mjs"
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
SCHEMA = json.loads((ROOT / "rtser" / "events.schema.json").read_text())
KEYS = ("time", "label", "speaking")


@pytest.fixture(scope="module")
def speech(tmp_path_factory):
    """The bundled sample as 16-bit WAV, and 8 s of it after half a second of silence for the microphone."""
    folder = tmp_path_factory.mktemp("speech")
    samples, rate = soundfile.read(ROOT / "rtser" / "samples" / "demo.flac", dtype="int16")
    soundfile.write(folder / "demo.wav", samples, rate)
    soundfile.write(folder / "spoken.wav", np.concatenate([np.zeros(rate // 2, np.int16), samples[: 8 * rate]]), rate)
    return folder


@pytest.fixture(scope="module")
def browser(speech):
    if not CHROMIUM:
        pytest.skip("no Chromium here")
    if not RUNTIME.exists():
        pytest.skip("onnxruntime-web is not here; tools/get_web_runtime.sh brings it")
    with sync_playwright() as playwright:
        played = f"--use-file-for-fake-audio-capture={speech / 'spoken.wav'}%noloop"
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=[*SWITCHES, played])
        yield running
        running.close()


@pytest.fixture(scope="module")
def server():
    with serving() as running:
        yield running


@pytest.fixture
def opened(browser):
    """Opens the page at an address; errors of the page fail the test."""
    errors, contexts = [], []

    def open_page(address, engine="browser", **options):
        contexts.append(browser.new_context(permissions=["microphone"], **options))
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(address)
        if engine == "server":
            page.check("input[value=server]")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert errors == []


@pytest.fixture(scope="module")
def expected(speech):
    lines = rtser("file", speech / "demo.wav", "--json").stdout.splitlines()
    return [json.loads(line) for line in lines]


def recognised(page, file):
    page.set_input_files("#file", file)
    page.wait_for_selector("#status:text-matches('done.$'), #status.problem", timeout=60_000)
    return page.evaluate("rtser.events()")


def of_type(events, kind):
    return [event for event in events if event["type"] == kind]


def same(events, expected):
    """Whether the events say what `rtser file` says: labels, times, counts; probabilities within 1e-4."""
    assert [event["type"] for event in events] == [event["type"] for event in expected]
    for one, other in zip(of_type(events, "decision"), of_type(expected, "decision"), strict=True):
        assert [one[key] for key in KEYS] == [other[key] for key in KEYS]
        assert (one["emotions"] or {}) == pytest.approx(other["emotions"] or {}, abs=1e-4)
        assert one["segment_emotions"] == pytest.approx(other["segment_emotions"], abs=1e-4)
    for one, other in zip(of_type(events, "utterance"), of_type(expected, "utterance"), strict=True):
        assert (one["start"], one["end"], one["label"]) == (other["start"], other["end"], other["label"])
        assert one["emotions"] == pytest.approx(other["emotions"], abs=1e-4)


@pytest.mark.parametrize("engine", ["browser", "server"])
def test_a_file_says_what_rtser_file_says(opened, server, speech, expected, engine):
    page = opened(server.http, engine)
    same(recognised(page, speech / "demo.wav"), expected)
    assert page.locator("#utterances tr").count() == len(of_type(expected, "utterance"))


@pytest.mark.parametrize("engine", ["browser", "server"])
def test_the_microphone_is_heard_as_it_speaks(opened, server, speech, engine):
    page = opened(server.http, engine)
    page.click("#start")
    page.wait_for_selector("#utterances tr:nth-child(2)", timeout=30_000)
    page.click("#stop")
    page.wait_for_selector("#start:enabled", timeout=10_000)
    events = page.evaluate("rtser.events()")
    said = rtser("file", speech / "spoken.wav", "--json").stdout.splitlines()
    others = of_type(map(json.loads, said), "utterance")
    assert of_type(events, "end")[0]["decisions"] == len(of_type(events, "decision"))
    spoken = of_type(events, "utterance")
    assert len(spoken) >= 2
    assert spoken[0]["leaning"]["label"] == others[0]["leaning"]["label"]  # the fake microphone resamples, and stutters
    assert spoken[0]["end"] - spoken[0]["start"] == pytest.approx(others[0]["end"] - others[0]["start"], abs=0.6)
    assert "ms" in page.text_content("#figures")


@pytest.mark.parametrize("engine", ["browser", "server"])
def test_stop_right_after_start_leaves_nothing_open(opened, server, engine):
    page = opened(server.http, engine)
    for _ in range(3):
        page.evaluate("document.getElementById('start').click(); document.getElementById('stop').click()")
        page.wait_for_selector("#start:enabled", timeout=15_000)
        assert "Listening" not in page.text_content("#status")


def test_a_server_that_is_gone_is_said_and_the_microphone_let_go(opened):
    with serving() as mortal:
        page = opened(mortal.http, "server")
        page.click("#start")
        page.wait_for_selector("#status:text-matches('Listening')", timeout=15_000)
        mortal.process.kill()
        page.wait_for_selector("#start:enabled", timeout=15_000)
        assert "lost" in page.text_content("#status")
        assert page.locator("#status.problem").count() == 1


def test_a_file_of_another_rate_says_on_the_server_what_rtser_file_says(opened, server, speech):
    telephone = soundfile.read(speech / "demo.wav", dtype="int16")[0][::2]
    soundfile.write(speech / "telephone.wav", telephone, 8_000)
    page = opened(server.http, "server")
    lines = rtser("file", speech / "telephone.wav", "--json").stdout.splitlines()
    same(recognised(page, speech / "telephone.wav"), [json.loads(line) for line in lines])


def test_saved_events_of_the_browsers_engine_follow_the_schema(opened, server, speech):
    page = opened(server.http)
    for event in recognised(page, speech / "demo.wav"):
        jsonschema.validate(event, SCHEMA)


def test_the_events_can_be_saved(opened, server, speech, expected):
    page = opened(server.http)
    recognised(page, speech / "demo.wav")
    with page.expect_download() as saved:
        page.click("#save")
    lines = saved.value.path().read_text().splitlines()
    assert len(lines) == len(expected)
    assert json.loads(lines[0])["type"] == "start"


def test_what_is_no_sound_is_said(opened, server, tmp_path):
    (tmp_path / "letter.txt").write_text("dear reader")
    page = opened(server.http)
    recognised(page, tmp_path / "letter.txt")
    assert "not a sound file" in page.text_content("#status")
    assert page.is_enabled("#start")


def test_as_static_files_it_recognises_without_a_server(opened, speech, expected, tmp_path):
    assert rtser("serve", "--write-page", tmp_path / "site").returncode == 0
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as static:
        threading.Thread(target=static.serve_forever, daemon=True).start()
        page = opened(f"http://127.0.0.1:{static.server_port}/")
        same(recognised(page, speech / "demo.wav"), expected)
        assert page.is_disabled("input[value=server]")
        static.shutdown()


def test_with_a_token_the_page_asks_for_it(opened, speech, expected):
    token = "a-token-of-some-length"
    with serving(environment={"RTSER_TOKEN": token}) as guarded:
        page = opened(guarded.http, "server")
        page.fill("#token", token)
        same(recognised(page, speech / "demo.wav"), expected)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1000])
def test_it_fits_a_phone_and_a_desk(opened, server, speech, scheme, width):
    page = opened(server.http, viewport={"width": width, "height": 740}, color_scheme=scheme)
    recognised(page, speech / "demo.wav")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_can_be_used_from_the_keyboard(opened, server):
    page = opened(server.http)
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id || document.activeElement.value"))
    assert reached[:3] == ["start", "choose", "browser"]
    page.focus("#start")
    page.keyboard.press("Enter")
    page.wait_for_selector("#status:text-matches('Listening')", timeout=15_000)
    page.focus("#stop")
    page.keyboard.press("Space")
    page.wait_for_selector("#start:enabled", timeout=15_000)


def test_the_page_loads_nothing_from_other_hosts_and_sends_no_sound(opened, server, speech):
    page = opened("about:blank")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(server.http)
    recognised(page, speech / "demo.wav")
    page.wait_for_load_state("networkidle")
    assert any("model.onnx" in url for url in asked)
    assert not any("recognize" in url or "stream" in url for url in asked)  # no sound leaves the browser
    assert all(url.startswith((server.http, "data:")) for url in asked)
