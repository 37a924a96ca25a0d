"""What the help of the commands says."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from rtser.commands.app import app


def helped(*arguments):
    result = CliRunner().invoke(app, [*arguments, "--help"], env={"COLUMNS": "120", "TERM": "dumb"})
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.parametrize("command", [[], ["file"], ["batch"], ["bench"], ["bench", "streams"]])
def test_a_flag_has_no_type_beside_it(command):
    assert "bool" not in helped(*command)


def test_options_with_a_value_have_their_type():
    assert "path" in helped("file").lower().split("--csv")[1][:60]


def test_an_option_that_a_command_refuses_is_not_in_its_help():
    for option in ("--voice", "--provider"):
        assert option in helped("file")
        assert option not in helped("batch")


def test_a_paragraph_is_as_wide_as_the_terminal():
    lines = [line.strip() for line in helped("plot").splitlines()]
    first = next(number for number, line in enumerate(lines) if line.startswith("A picture covers two minutes"))
    assert len(lines[first]) > 100
    assert len(lines[first + 1]) > 100
