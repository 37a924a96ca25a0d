"""The command line as a whole: examples in every help, and one sentence for every wrong use."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest
import typer

from rtser.commands.app import app, run

ROOT_COMMAND = typer.main.get_command(app)


def commands(group=ROOT_COMMAND, path="rtser") -> Iterator[tuple[str, object]]:
    """Every command that does something, by what is typed for it."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def examples(command) -> list[str]:
    _, _, below = command.help.partition("Examples:\n")
    return [line.strip() for line in below.splitlines() if line.strip()]


def words_of(example: str) -> list[str]:
    """The words of the first call of rtser in an example, as far as the shell hands them over."""
    lexer = shlex.shlex(example, posix=True, punctuation_chars="|>")
    lexer.whitespace_split = True
    words = list(lexer)
    if words[0] != "rtser":  # eval "$(rtser ...)"
        words = shlex.split(words[-1].strip("$()"))
    for end in ("|", ">"):
        words = words[: words.index(end)] if end in words else words
    return words[1:]


@pytest.mark.parametrize(("path", "command"), [*commands()])
def test_the_help_of_every_command_shows_examples_that_it_understands(path, command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert examples(command)
    for example in examples(command):
        group, words = ROOT_COMMAND, words_of(example)
        while hasattr(group, "commands"):
            group = group.commands[words.pop(0)]
        assert group is command
        group.make_context(path, words)
    assert run([*path.split()[1:], "--help"]) == 0
    shown = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert set(examples(command)) <= set(shown), "an example is broken over lines: make it shorter"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("fiel a.wav", "no such command 'fiel' (did you mean 'file'?); see rtser --help."),
        ("bench liv", "no such command 'liv' (did you mean 'live'?); see rtser bench --help."),
        ("--verison", "no such option: --verison (Possible options: --version); see rtser --help."),
        ("file a.wav --treads 2", "no such option: --treads; see rtser file --help."),
        ("file", "missing argument 'FILE'; see rtser file --help."),
        ("embed a.wav", "missing option '--output' / '-o'; see rtser embed --help."),
        (
            "file a.wav --speed x",
            "invalid value for '--speed': the value should be a valid number; see rtser file --help.",
        ),
        ("serve --port x", "invalid value for '--port': the value should be a valid integer; see rtser serve --help."),
        (
            "demo --speed -1",
            "invalid value for '--speed': the value should be greater than or equal to 0; see rtser demo --help.",
        ),
        (
            "listen --provider gpu",
            "invalid value for '--provider': 'gpu' is not one of 'auto', 'cpu', 'cuda'; see rtser listen --help.",
        ),
        ("demo more", "got unexpected extra argument(s) (more); see rtser demo --help."),
        ("file a.wav --csv", "option '--csv' requires an argument; see rtser --help."),
        ("demo --plain=yes", "option '--plain' does not take a value; see rtser --help."),
    ],
)
def test_wrong_use_is_one_sentence_that_points_to_the_help(line, said, capsys):
    assert run(line.split()) == 2
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", f"rtser: {said}\n")


def test_a_group_without_a_command_shows_its_help(capsys):
    assert run([]) == 2
    assert "Usage: rtser" in capsys.readouterr().out
