"""The documentation: its examples run, its pages are true to the program, and the built site needs no other host."""

from __future__ import annotations

import html
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

import rtser
from rtser.audio.file import AudioFile
from rtser.session import Session

DOCS = ROOT / "docs"
REFERENCE = runpy.run_path(str(ROOT / "tools" / "make_reference.py"), run_name="tools")
TAGS = "script|img|link|iframe|source|video|audio|object|embed"
LOADS = re.compile(rf"""<(?:{TAGS})\b[^>]*?\b(?:src|href|data)=["']?(?:https?:)?//""")


def python_blocks(page: Path) -> list[str]:
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [block for block in blocks if "--8<--" not in block]


@pytest.mark.parametrize("page", [ROOT / "README.md", DOCS / "python.md"], ids=lambda page: page.name)
def test_the_examples_of_a_page_run(page, monkeypatch, capsys, tmp_path):
    """All of them, one after another; `rtser.listen` hears the bundled sample."""

    def listen(model, **_):
        return Session(model).events(AudioFile(rtser.sample_path()))

    monkeypatch.setattr(rtser, "listen", listen, raising=False)
    monkeypatch.chdir(tmp_path)
    blocks = python_blocks(page)
    assert blocks
    names = {}
    for block in blocks:
        exec(compile(block, page.name, "exec"), names)
    assert capsys.readouterr().out


@pytest.mark.e2e
def test_the_clients_on_the_page_of_the_server_run():
    command = [sys.executable, "-m", "rtser", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1].replace("http", "ws").rstrip("/")
        try:
            for block in python_blocks(DOCS / "serve.md"):
                program = block.replace("ws://127.0.0.1:8765", address)
                done = subprocess.run(
                    [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60
                )
                assert done.returncode == 0, done.stderr
                assert done.stdout.splitlines()[-1].split()[0] == "end"
        finally:
            server.terminate()


def test_the_set_up_commands_are_in_the_readme_and_on_the_first_page():
    """A fresh machine is set up with them."""
    for page in (ROOT / "README.md", DOCS / "index.md"):
        blocks = re.findall(r"^```\n(.*?)\n```", page.read_text(), re.MULTILINE | re.DOTALL)
        assert "tools/test.sh" in blocks
        assert any(
            block.startswith("sudo apt-get update && ")
            and block.endswith(".venv/bin/pip install -c constraints.txt . && .venv/bin/rtser demo")
            for block in blocks
        )


def test_the_readme_is_short():
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


@pytest.mark.parametrize("page", REFERENCE["PAGES"])
def test_a_page_made_from_the_program_is_true_to_it(page):
    made = REFERENCE["PAGES"][page]()
    assert (DOCS / "reference" / page).read_text() == made, "run: python tools/make_reference.py"


def test_every_public_name_has_an_entry_in_the_reference():
    entries = set(re.findall(r"^::: rtser\.(\w+)$", (DOCS / "reference" / "python.md").read_text(), re.MULTILINE))
    assert entries >= set(rtser.__all__) - {"client"}


def test_every_page_is_in_the_navigation_of_the_site():
    navigation = re.findall(r"[\w/-]+\.md", (ROOT / "mkdocs.yml").read_text().partition("nav:")[2])
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")} - {"reference/event-keys.md"}
    assert set(navigation) == pages


def test_the_links_of_the_documents_at_the_top_lead_somewhere():
    for name in ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"):
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", (ROOT / name).read_text()):
            assert (ROOT / target).exists(), f"{name}: {target}"


def test_the_model_card_begins_with_what_model_hubs_read():
    _, front, text = (ROOT / "rtser" / "models" / "CARD.md").read_text().split("---\n", 2)
    about = yaml.safe_load(front)
    assert about["license"] == "cc-by-nc-sa-4.0"
    assert about["pipeline_tag"] == "audio-classification"
    for result in about["model-index"][0]["results"]:
        for metric in result["metrics"]:
            assert re.search(rf"(?<![\d.]){metric['value']}(?!\d)", text), f"{metric['value']} is not in the card"


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The built site."""
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    built = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=ROOT)
    assert built.returncode == 0, built.stderr
    assert "requires either Black or Ruff" not in built.stderr
    return folder


@pytest.mark.e2e
def test_the_site_loads_nothing_from_other_hosts(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 20
    for page in pages:
        assert not LOADS.search(page.read_text()), page.name
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import\s+)[\"']?(?:https?:)?//", sheet.read_text()), sheet.name


@pytest.mark.e2e
def test_the_page_of_the_examples_shows_each_program(site):
    text = visible(site / "examples.html")
    programs = re.findall(r"examples/(\w+\.(?:py|sh|yaml))\"", (DOCS / "examples.md").read_text())
    assert len(programs) == 7
    for program in programs:
        assert (ROOT / "examples" / program).read_text().strip() in text, program


@pytest.mark.e2e
def test_no_page_of_the_site_shows_a_line_that_should_include_a_file(site):
    for page in site.rglob("*.html"):
        assert not re.search(r"--8\s*<", visible(page)), page.name


@pytest.mark.e2e
def test_the_examples_of_the_python_reference_are_code(site):
    page = (site / "reference" / "python.html").read_text()
    assert "<blockquote>" not in page
    assert "rtser.recognise(rtser.sample_path())" in visible(site / "reference" / "python.html")


def visible(page: Path) -> str:
    """The text of a page of the site, without its tags."""
    return html.unescape(re.sub(r"<[^>]*>", "", page.read_text()))
