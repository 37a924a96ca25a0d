"""Options that stand together in several commands: a command takes what a group of them says as one argument."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Collection
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from typer.models import OptionInfo


def with_group(
    group: Callable[..., Any], hidden: Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a group in place of its first argument, which takes what they say.

    Several groups can be stacked: the lowest decorator stands for the first argument.

    Args:
        group: its parameters are the options; it returns what they say.
        hidden: names of options that the command's help leaves out, because it refuses them.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        hints = get_type_hints(command, include_extras=True) | get_type_hints(group, include_extras=True)
        own, shared = inspect.signature(command).parameters, inspect.signature(group).parameters
        _, *others = own.values()
        for name in hidden:
            hints[name] = _hidden(hints[name])

        @functools.wraps(command)
        def wrapper(*first: Any, **values: Any) -> None:
            said = group(**{name: values.pop(name) for name in shared})
            command(said, *first, **values)

        parameters = [one.replace(annotation=hints[one.name]) for one in (*others, *shared.values())]
        wrapper.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        wrapper.__annotations__ = {one.name: one.annotation for one in parameters}
        return wrapper

    return decorate


def _hidden(annotation: Any) -> Any:
    """An option's annotation, changed so that the help does not list it."""
    assert get_origin(annotation) is Annotated
    kind, option = get_args(annotation)
    assert isinstance(option, OptionInfo)
    changed = copy.copy(option)
    changed.hidden = True
    return Annotated[kind, changed]
