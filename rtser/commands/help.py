"""How the help of a command looks: a flag shows no type, and paragraphs are as wide as the terminal."""

from __future__ import annotations

import inspect
from typing import Any

from typer.core import TyperCommand, TyperGroup, TyperOption


class Command(TyperCommand):
    """A command whose help shows no type beside a flag, and joins the lines of its docstring except in examples."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self.help:
            self.help = "\n\n".join(_paragraph(one) for one in inspect.cleandoc(self.help).split("\n\n"))

    def get_params(self, ctx: Any) -> list[Any]:
        """The command's parameters."""
        return _adjusted(super().get_params(ctx))


def _paragraph(text: str) -> str:
    return inspect.cleandoc(text) if text.startswith("Examples:") else " ".join(text.split())


class Group(TyperGroup):
    """The same for a group of commands."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The group's parameters."""
        return _adjusted(super().get_params(ctx))


def _adjusted(parameters: list[Any]) -> list[Any]:
    """Flags without a type, and paths that the command itself checks, with its own words and exit code."""
    for one in parameters:
        if isinstance(one, TyperOption) and one.is_flag:
            one.metavar = ""
        if descriptor := getattr(one, "type_descriptor", None):
            descriptor.parameter_info.readable = False
    return parameters
