"""Print the JSON Schema of the events, made from their dataclasses in `rtser.events`.

python tools/make_schema.py > rtser/events.schema.json
"""

from __future__ import annotations

import inspect
import json
from dataclasses import fields, make_dataclass
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from rtser import events

UTC = {"type": "string", "format": "date-time", "description": "wall clock when the event was made"}
ADDED = {
    "utc": UTC,
    "stream": {"type": ["string", "integer"], "description": "of a server's events: which stream"},
    "channel": {"type": "integer", "minimum": 0, "description": "of a server's events: which channel, counted from 0"},
}
"""Keys that any event may have besides its own."""
NOT_WRITTEN = {"embedding"}


def schema() -> dict[str, Any]:
    """The schema of one line, draft 2020-12. All keys of an event are required, and no others are allowed."""
    each = {kind.__name__: _event(kind) for kind in events.Event.__subclasses__()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"rtser events, schema {events.SCHEMA}",
        "description": "One line of rtser's events. Times are in seconds of the stream.",
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in each],
        "$defs": each,
    }


def _event(kind: type[events.Event]) -> dict[str, Any]:
    own = _object(kind)
    if kind is events.StartEvent:
        own["properties"] |= {"schema": {"const": events.SCHEMA}, "utc": UTC}
    own["properties"] = {"type": {"const": kind.type}} | ADDED | own["properties"]
    own["required"] = ["type", *own["required"]]
    return own


def _object(kind: type) -> dict[str, Any]:
    """The schema of a dataclass, from pydantic; inner dataclasses are inserted by this function."""
    hints = get_type_hints(kind)
    written = [(field.name, hints[field.name]) for field in fields(kind) if field.name not in NOT_WRITTEN]
    made = TypeAdapter(make_dataclass(kind.__name__, written)).json_schema()
    inner = {name: _object(getattr(events, name)) for name in made.get("$defs", {})}
    properties = {name: _resolved(one, inner) for name, one in made["properties"].items()}
    return {
        "description": inspect.cleandoc(kind.__doc__ or ""),
        "type": "object",
        "properties": properties,
        "required": made["required"],
        "additionalProperties": False,
    }


def _resolved(part: Any, inner: dict[str, Any]) -> Any:
    """A part of a schema without titles and with its references resolved."""
    if isinstance(part, list):
        return [_resolved(one, inner) for one in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        return inner[part["$ref"].rpartition("/")[2]]
    return {key: _resolved(value, inner) for key, value in part.items() if key != "title"}


if __name__ == "__main__":
    print(json.dumps(schema(), indent=2))
