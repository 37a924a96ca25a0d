"""What `import rtser` gives: the names and their examples."""

from __future__ import annotations

import ast
import dataclasses
import doctest
import importlib
import inspect
import subprocess
import sys

import pytest
from conftest import ROOT

import rtser

MODULES = ["rtser", *sorted({f"rtser.{home}" for home in rtser._HOMES})]


@pytest.mark.parametrize("name", rtser.__all__)
def test_every_public_name_can_be_imported_and_is_described(name):
    value = getattr(rtser, name)
    if inspect.isclass(value) or inspect.isfunction(value):
        assert inspect.getdoc(value)
        assert value.__name__ == name


def test_the_public_names_are_those_that_type_checkers_see():
    tree = ast.parse((ROOT / "rtser" / "__init__.py").read_text())
    checked = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.name: node.module
        for node in ast.walk(checked)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen == {name: f"rtser.{home}" for name, home in rtser._HOME.items()}
    assert rtser.__all__ == sorted(rtser._HOME)
    assert set(rtser.__all__) <= set(dir(rtser))


def test_every_event_is_public():
    events = {kind.__name__ for kind in rtser.Event.__subclasses__()}
    assert events <= set(rtser.__all__)
    assert all(dataclasses.is_dataclass(kind) for kind in rtser.Event.__subclasses__())


def test_a_name_that_is_not_there_is_told_as_python_tells_it():
    with pytest.raises(AttributeError, match="module 'rtser' has no attribute 'Strem'"):
        _ = rtser.Strem


def test_importing_the_package_loads_no_runtime_and_no_audio_library():
    heavy = "{'onnxruntime', 'soundfile', 'sounddevice', 'soxr', 'numpy', 'pydantic'}"
    code = f"import sys, rtser; dir(rtser); print(*({heavy} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == ""


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_the_documentation_are_true(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def test_there_are_examples():
    found = doctest.DocTestFinder().find(importlib.import_module("rtser"))
    assert any(test.examples for test in found)
