"""Completion: the scripts for the shells, and what they are answered."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from conftest import rtser

from rtser.commands.completion import VARIABLE

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the paths of bash are others on Windows")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_understands(shell, tmp_path):
    if not shutil.which(shell):
        pytest.skip(f"no {shell} here")
    script = tmp_path / "script"
    script.write_text(rtser("completion", shell).stdout)
    assert script.stat().st_size
    subprocess.run([shell, "-n", script], check=True, timeout=30)


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("rtser ser", ["serve"]),
        ("rtser bench st", ["streams", "start"]),
        ("rtser demo --provider c", ["cpu", "cuda"]),
        ("rtser listen --set decide.hang", ["decide.hangover_s="]),
        ("rtser serve --set access.tok", ["access.token_file="]),
        ("rtser file pyproj", []),
        ("rtser train d", ["debug", "default", "donor"]),
        ("rtser train --set cnn.fit.e", ["cnn.fit.epochs="]),
        ("rtser adapt de", ["default"]),
    ],
)
def test_bash_is_told_what_the_words_may_go_on_with(line, words, tmp_path):
    """Bash calls the script's function as it does when TAB is pressed; nothing means names of files."""
    (tmp_path / "rtser").write_text(f"#!/bin/sh\nexec '{sys.executable}' -m rtser \"$@\"\n")
    (tmp_path / "rtser").chmod(0o755)
    calls = f"""
        PATH="{tmp_path}:$PATH"
        eval "$(rtser completion bash)"
        COMP_WORDS=({line}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        _rtser_completion rtser
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    told = subprocess.run(["bash", "-c", calls], check=True, timeout=60, capture_output=True, text=True)
    assert told.stdout.split() == words


def test_the_question_of_the_script_is_no_command(monkeypatch):
    monkeypatch.setenv(VARIABLE, "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "rtser dem")
    monkeypatch.setenv("COMP_CWORD", "1")
    assert rtser().stdout.split() == ["demo"]
