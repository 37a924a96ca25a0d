"""Errors: one sentence made of a problem and an advice, at every place that raises one."""

from __future__ import annotations

import ast

import pytest
from conftest import ROOT

import rtser
from rtser import errors

NAMES = {name for name in vars(errors) if name.endswith("Error")} | {"CorpusError"}


def raised():
    """Every call that makes an error of ours: where it stands, and its arguments."""
    for folder in ("rtser", "train"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id in NAMES
                    and node.args
                ):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node.args


def text(argument):
    """The constant parts of a text."""
    parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
    return "".join(part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


def test_an_error_says_its_problem_then_its_advice_in_one_sentence():
    error = rtser.InputError("a.wav is empty", "name another file")
    assert str(error) == "a.wav is empty; name another file."
    assert (error.problem, error.advice, error.exit_code) == ("a.wav is empty", "name another file", 2)
    assert str(rtser.ModelError("it is damaged")) == "it is damaged."


def test_every_error_is_exported_and_in_one_tree():
    for name in NAMES - {"CorpusError"}:
        assert issubclass(getattr(rtser, name), rtser.RtserError)
        assert name in rtser.__all__


def test_a_wrong_argument_is_a_value_error_too():
    assert issubclass(rtser.ArgumentError, ValueError)


@pytest.mark.parametrize("mark", [";", "."])
def test_advice_and_full_stops_stand_in_no_problem(mark):
    """Advice is an argument of its own, and the class adds the full stop."""
    wrong = [
        place
        for place, (problem, *advice) in raised()
        for words in (text(problem), *map(text, advice))
        if words.rstrip().endswith(mark) or (mark == ";" and ";" in words)
    ]
    assert wrong == []
