"""Where corpora lie, as the options of a command say."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from rtser.errors import InputError

DataOption = Annotated[Path, typer.Option("--data", help="Folder that holds each corpus in a subfolder with its name.")]
CorpusOption = Annotated[list[str] | None, typer.Option("--corpus", help="NAME=PATH: path of one corpus; repeatable.")]


def corpus_places(given: Iterable[str], data: Path, corpora: list[str] | None) -> dict[str, Path]:
    """The path of each corpus by its name.

    Args:
        given: names of corpora in `--data` or `--corpus`, or paths of tables and folders. A path has the name of its
            file or folder.
        data: the folder of `--data`.
        corpora: the values of `--corpus`.

    Raises:
        InputError: a path does not exist, two have the same name, or `--corpus` names another corpus.
    """
    named = {value.partition("=")[0] for value in corpora or []}
    paths: dict[str, Path | None] = {}
    for one in given:
        name, path = (one, None) if one in named else _place(one, data)
        if paths.setdefault(name, path) != path:
            raise InputError(f"{paths[name] or name} and {path or name} are both called {name}", "rename one of them")
    roots = corpus_roots([name for name, path in paths.items() if path is None], data, corpora)
    return {name: path or roots[name] for name, path in paths.items()}


def _place(given: str, data: Path) -> tuple[str, Path | None]:
    """The name of a corpus, and its path if it is given by one; raises InputError if a path does not exist."""
    path = Path(given).expanduser()
    if not path.is_absolute() and (data.expanduser() / given).exists():
        return given, None
    if path.exists():
        path = path.resolve()
        return (path.stem if path.is_file() else path.name), path
    if path.suffix or len(path.parts) > 1:
        raise InputError(f"{given} does not exist", "name a CSV table, a folder or a corpus")
    return given, None


def corpus_roots(names: Iterable[str], data: Path, corpora: list[str] | None) -> dict[str, Path]:
    """The path of each corpus in `--data` or `--corpus`; raises InputError if `--corpus` names another one."""
    roots = {name: (data.expanduser() / name).resolve() for name in names}
    for given in corpora or []:
        name, equals, path = given.partition("=")
        if not equals or name not in roots:
            raise InputError(
                f"--corpus {given}: this does not name a corpus that is used",
                f"write NAME=PATH, where NAME is one of {', '.join(roots)}",
            )
        roots[name] = Path(path).expanduser().resolve()
    return roots
