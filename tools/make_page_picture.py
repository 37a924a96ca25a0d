"""Make the pictures of the web page in the README: docs/page-dark.png and docs/page-phone.png.

    python tools/make_page_picture.py

It runs `rtser serve` and Chromium, whose fake microphone plays the bundled sample. It needs the packages playwright and
soundfile, Chromium, and onnxruntime-web (tools/get_web_runtime.sh).
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import soundfile
from playwright.sync_api import sync_playwright

from rtser.audio.file import sample_path

DOCS = Path(__file__).parents[1] / "docs"
LOOKS = {"dark": (960, 1010), "phone": (400, 1010)}
LISTEN_MS = 14_200


def main() -> None:
    """Take both pictures."""
    with TemporaryDirectory() as folder:
        wav = Path(folder) / "demo.wav"
        soundfile.write(wav, *soundfile.read(sample_path(), dtype="int16"))
        command = [sys.executable, "-m", "rtser", "serve", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as playwright:
            assert server.stdout is not None
            address = server.stdout.readline().split()[-1]
            switches = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream"]
            switches += ["--use-fake-ui-for-media-stream", f"--use-file-for-fake-audio-capture={wav}%noloop"]
            for look, (width, height) in LOOKS.items():
                chromium = shutil.which("chromium")
                browser = playwright.chromium.launch(executable_path=chromium, args=switches)
                scheme = "dark" if look == "dark" else "light"
                size = {"width": width, "height": height}
                page = browser.new_context(viewport=size, color_scheme=scheme, permissions=["microphone"]).new_page()
                page.goto(address)
                page.click("#start")
                page.wait_for_selector("#status:text-matches('Listening')")
                page.wait_for_timeout(LISTEN_MS)
                page.screenshot(path=DOCS / f"page-{look}.png")
                browser.close()
            server.terminate()


if __name__ == "__main__":
    main()
