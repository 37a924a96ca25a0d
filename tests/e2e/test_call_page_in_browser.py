"""The page of one recording in a real browser."""

from __future__ import annotations

import shutil

import pytest
from conftest import ROOT, rtser
from playwright.sync_api import sync_playwright

pytestmark = pytest.mark.e2e

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SWITCHES = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--autoplay-policy=no-user-gesture-required"]


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium here")
def test_it_plays_where_it_is_clicked_and_tells_what_is_below_the_pointer(tmp_path):
    shutil.copy(ROOT / "rtser" / "samples" / "demo.flac", tmp_path / "50% #1?.flac")
    assert rtser("plot", tmp_path / "50% #1?.flac", "-o", tmp_path / "x.html").returncode == 0
    errors = []
    with sync_playwright() as playwright:
        page = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES).new_page()
        page.on("pageerror", lambda error: errors.append(error))
        page.goto((tmp_path / "x.html").as_uri())
        curves = page.locator(".curves")
        box = curves.bounding_box()
        curves.hover(position={"x": box["width"] * 0.65, "y": 50})  # 14.5 s: sad
        assert page.locator("output span").nth(1).inner_text().startswith("sad")
        curves.click(position={"x": box["width"] / 2, "y": 50})
        page.wait_for_function("document.querySelector('audio').currentTime > 11.3")
        page.locator("button[data-from]").nth(3).click()  # 12.66 to 15.575 s
        page.locator("tr.playing").wait_for()
        assert "sad" in page.locator("tr.playing").inner_text()
        page.locator("#zoom").fill("1.1")
        assert curves.bounding_box()["width"] > box["width"]
    assert errors == []
