"""What is wrong with settings: every problem as one sentence, with the nearest known name where a name is unknown."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from rtser.errors import InputError, SettingsError, reworded

MOST_QUOTED = 60
"""Letters of a wrong value that are said back."""
UNKNOWN = ("extra_forbidden", "unexpected_keyword_argument")
"""What pydantic calls a name that it does not know."""


def setting_names(kind: type[BaseModel]) -> list[str]:
    """Every setting of a kind by its whole name, such as ``decide.hold_s``; groups are left out."""
    names = []
    for name, field in kind.model_fields.items():
        kinds: list[Any] = [*get_args(field.annotation)] or [field.annotation]
        groups = [one for one in kinds if isinstance(one, type) and issubclass(one, BaseModel)]
        names += [f"{name}.{inner}" for group in groups for inner in setting_names(group)] or [name]
    return names


def settings_error(
    kind: type[BaseModel], error: ValidationError, source: str, places: Mapping[str, str]
) -> SettingsError:
    """All that pydantic found, as errors of ours.

    Args:
        kind: of the settings.
        error: what was found.
        source: where the settings come from, in words.
        places: how single settings are called, by their whole names, where not by the source and the name.
    """
    problems: dict[str, InputError] = {}
    for one in error.errors():
        steps = [str(step) for step in one["loc"]]
        where = ".".join(steps)
        named = [places[name] for name in places if f"{where}.".startswith(f"{name}.")]
        if one["type"] in UNKNOWN:  # of an unknown group, only what stands in it has a place
            named += [places[name] for name in places if name.startswith(f"{where}.")]
        place = named[0] if named else f"{source}: {where}" if where else source
        if one["type"] in UNKNOWN:
            found = InputError(f"{place}: there is no such setting", _nearest(kind, where))
        else:
            found = InputError(f"{place}: {_reason(one)}")
        problems.setdefault(str(found), found)
    return SettingsError(list(problems.values()))


def _nearest(kind: type[BaseModel], where: str) -> str:
    """Which known setting an unknown name may mean; where none is near, which ones there are."""
    names = setting_names(kind)
    groups = list(dict.fromkeys(name.rpartition(".")[0] for name in names if "." in name))
    last: dict[str, str] = {}
    for name in names:
        last.setdefault(name.rpartition(".")[2], name)
    key = where.rpartition(".")[2]
    near = [
        *([last[key]] if key in last else []),
        *get_close_matches(where, [*names, *(one for one in groups if not where.startswith(one))], 1, 0.75),
        *(last[one] for one in get_close_matches(key, last, 1, 0.7)),
    ]
    if near:
        return f"did you mean {near[0]}?"
    group = where.rpartition(".")[0]
    there = [name.removeprefix(f"{group}.").partition(".")[0] for name in names if name.startswith(group)]
    return f"there are {', '.join(dict.fromkeys(there))}"


def _reason(one: Any) -> str:
    """What is wrong with one value, and the value where it is short."""
    if one["type"] in ("model_type", "model_attributes_type", "dataclass_type"):
        return "this is a group of settings, and not a value"
    reason, value = reworded(str(one["msg"])), one["input"]
    if reason.startswith("the value should") and (value is None or isinstance(value, (str, int, float, bool))):
        reason += f", not {'null' if value is None else repr(value)[:MOST_QUOTED]}"
    return reason
