"""The service file: what it says to install, and that its command line is one."""

from __future__ import annotations

import re
import shlex

import typer
from conftest import ROOT

from rtser.commands.app import app

SERVICE = (ROOT / "tools" / "rtser.service").read_text()


def test_it_installs_the_checkout_and_no_package_of_that_name_from_an_index():
    (what,) = re.findall(r"pip install (.*)", SERVICE)
    assert what == "-c constraints.txt ."


def test_its_command_line_is_understood():
    (line,) = re.findall(r"ExecStart=(.*)", SERVICE)
    _, name, *arguments = shlex.split(line)
    typer.main.get_command(app).commands[name].make_context(name, arguments)
