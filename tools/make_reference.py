"""Write the pages that come from the program: docs/reference/cli.md and docs/reference/event-keys.md.

    python tools/make_reference.py

Run it after a change of a command, an option or an event. A test compares the pages with the output of this tool.
"""

from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
CLI_BEGIN = """# Command line

Every command and every option, as `rtser COMMAND --help` shows them. `tools/make_reference.py` makes this page.
"""


def command_line() -> str:
    """The page of the commands, by typer's own generator."""
    command = [sys.executable, "-m", "typer", "rtser.commands.app", "utils", "docs", "--name", "rtser"]
    made = subprocess.run(command, check=True, capture_output=True, text=True, cwd=ROOT).stdout
    _, _, text = html.unescape(made).partition("\n")  # without the title
    text = re.sub(
        r"^\* `(\w+)`: (.*?)(?:\.\.\.)?$", lambda line: _entry(line[1], line[2], text), text, flags=re.MULTILINE
    )
    text = re.sub(r"^\* `--help`: Show this message and exit\.\n", "", text, flags=re.MULTILINE)
    examples = r"^Examples:\n((?:(?:rtser|eval|    ).*\n)+)"
    text = re.sub(examples, r"Examples:\n\n```\n\1```\n", text, flags=re.MULTILINE)
    text = re.sub(r"\*\*Options\*\*:\n\n(?=\n|\Z|##)", "", text)
    text = re.sub(r" +\[(required|default: [^\]]*|[^\]\n]*[<>][^\]\n]*)\]$", r" *(\1)*", text, flags=re.MULTILINE)
    return CLI_BEGIN + re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def _entry(command: str, begins: str, text: str) -> str:
    """A line of the list of commands: a link to the section, and its first line."""
    title = re.search(rf"^#+ `(rtser (?:\w+ )?{command})`\n\n({re.escape(begins)}.*)$", text, re.MULTILINE)
    assert title is not None
    return f"* [`{title[1]}`](#{title[1].replace(' ', '-')}): {title[2]}"


def event_keys() -> str:
    """A table of keys for each event of the JSON Schema."""
    schema = json.loads((ROOT / "rtser" / "events.schema.json").read_text())
    every = list(schema["$defs"].values())
    common = set.intersection(*(set(event["properties"]) for event in every)) - {"type"}
    parts = []
    for event in every:
        name = event["properties"]["type"]["const"]
        about = event["description"].replace("``", "`")
        keys = [key for key in event["properties"] if key != "type" and key not in common]
        rows = [f"| `{key}` | {_kind(event['properties'][key])} |" for key in keys]
        parts.append("\n".join([f"### {name}", "", about, "", "| key | value |", "|---|---|", *rows]))
    properties = every[0]["properties"]
    rows = [f"| `{key}` | {_kind(properties[key])} | {properties[key]['description']} |" for key in sorted(common)]
    some = "Any event may also have these keys:"
    parts.append(
        "\n".join(["### Keys of a log and of a server", "", some, "", "| key | value | |", "|---|---|---|", *rows])
    )
    return "\n\n".join(parts) + "\n"


def _kind(part: dict[str, Any]) -> str:
    """The type of a value in words."""
    if "const" in part:
        return f"`{json.dumps(part['const'])}`"
    if "enum" in part:
        return " or ".join(f"`{json.dumps(one)}`" for one in part["enum"])
    if "anyOf" in part:
        return " or ".join(_kind(one) for one in part["anyOf"])
    kind = part.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(kind)
    if kind == "array":
        return f"array of {_kind(part['items'])}"
    if kind == "object" and part.get("properties"):
        return "object of " + ", ".join(f"`{key}` ({_kind(one)})" for key, one in part["properties"].items())
    if kind == "object" and isinstance(part.get("additionalProperties"), dict):
        return f"object: {_kind(part['additionalProperties'])} by name"
    return f"{kind} (date and time)" if part.get("format") == "date-time" else kind


PAGES = {"cli.md": command_line, "event-keys.md": event_keys}

if __name__ == "__main__":
    for file, page in PAGES.items():
        (REFERENCE / file).write_text(page(), encoding="utf-8")
