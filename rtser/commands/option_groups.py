"""Groups of options that several commands share; a command gets the values of a group as one argument."""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Collection, Sequence
from typing import Annotated, Any, get_args, get_origin, get_type_hints

from typer.models import OptionInfo


def with_group(
    group: Callable[..., Any], hidden: Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Replace the first argument of a command by the options of a group; the argument gets their values.

    Several groups can be stacked: the lowest decorator fills the first argument.

    Args:
        group: a function whose parameters are the options; it returns their values as one object.
        hidden: names of options that the command's help leaves out, because the command refuses them.
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

        return with_parameters(
            wrapper, [one.replace(annotation=hints[one.name]) for one in (*others, *shared.values())]
        )

    return decorate


def with_parameters(command: Callable[..., None], parameters: Sequence[inspect.Parameter]) -> Callable[..., None]:
    """Give a command the parameters that the command line shows; their annotations must not be strings."""
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in parameters}
    return command


def _hidden(annotation: Any) -> Any:
    """An option's annotation, changed so that the help does not list it."""
    assert get_origin(annotation) is Annotated
    kind, option = get_args(annotation)
    assert isinstance(option, OptionInfo)
    changed = copy.copy(option)
    changed.hidden = True
    return Annotated[kind, changed]
