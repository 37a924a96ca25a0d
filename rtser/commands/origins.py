"""Where each setting comes from: a file, --set or an option; all other settings are defaults."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from rtser.settings import Settings

    Kind = TypeVar("Kind", bound=Settings)

LISTEN_OPTIONS = {
    "device": "device",
    "channel": "channel",
    "model": "model",
    "provider": "provider",
    "window": "window_s",
    "plain": "plain",
    "label_threshold": "decide.label_threshold",
    "smoothing": "decide.smoothing_s",
    "silence": "decide.silence_s",
    "voice": "voice.profile",
    "max_lag": "source.max_lag_ms",
    "jsonl": "outputs.jsonl",
    "csv": "outputs.csv",
    "record": "outputs.record",
    "mqtt": "outputs.mqtt",
    "save_audio": "outputs.save_audio",
}
"""Options of `rtser listen`, by the names of their parameters, and the settings that they set."""
SERVE_OPTIONS = {
    "host": "host",
    "port": "port",
    "model": "model",
    "provider": "provider",
    "token_file": "access.token_file",
    "insecure": "access.insecure",
    "certificate": "tls.certificate",
    "key": "tls.key",
    "streams": "limits.streams",
}
"""The same for `rtser serve`."""
OPTION_OF = {setting: f"--{option.replace('_', '-')}" for option, setting in (LISTEN_OPTIONS | SERVE_OPTIONS).items()}
"""Settings, and the options that set them."""


class Origin(NamedTuple):
    """Where a setting comes from.

    Attributes:
        kind: ``default``, ``file``, ``--set``, ``option`` or ``environment``.
        name: the name of the file, option or variable; empty for the other kinds.
    """

    kind: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}".rstrip()


DEFAULT = Origin("default")


class Layers(NamedTuple):
    """Plain settings; the origin of each given one, by its whole name (``decide.hold_s``); and the file."""

    content: dict[str, Any]
    origins: dict[str, Origin]
    config: Path | None

    def checked(self, kind: type[Kind]) -> Kind:
        """The settings; raises SettingsError if some are unknown or out of range."""
        from rtser.settings import checked

        file = f"configuration {self.config}"
        places = {"file": "{0}: {1}", "--set": "--set {1}", "option": "{2}"}
        named = {
            setting: places[origin.kind].format(file, setting, origin.name) for setting, origin in self.origins.items()
        }
        return checked(kind, self.content, file if self.config else "settings", named)


def layers(config: Path | None, changes: list[str], options: Mapping[str, Any]) -> Layers:
    """A file's settings, changed by --set, then by options.

    pydantic-settings also merges such sources, but it does not say which source a value comes from.

    Args:
        config: the file; None for no file.
        changes: the values of --set, such as ``decide.hold_s=1``.
        options: by the names of their settings, in the same groups; None means that an option was not given.

    Raises:
        InputError: the file cannot be read, or a change is not of the form key=value.
    """
    from rtser.settings import leaves, read_settings

    origins = {name: Origin("file", str(config)) for name, _ in leaves(read_settings(config, []))}
    for change in changes:
        group = f"{change.partition('=')[0].strip()}."
        origins = {name: origin for name, origin in origins.items() if not name.startswith(group)}  # it is replaced
        origins |= {name: Origin("--set") for name, _ in leaves(read_settings(None, [change]))}
    given = {name: value for name, value in leaves(options) if value is not None}
    origins |= {name: Origin("option", OPTION_OF[name]) for name in given}
    content = read_settings(config, changes)
    overlay(content, options)
    return Layers(content, origins, config)


def by_setting(options: Mapping[str, Any], settings: Mapping[str, str]) -> dict[str, Any]:
    """Options in the groups of the settings that they set; a flag that was not given becomes None.

    Args:
        options: by the names of their parameters; options that are not in `settings` are left out.
        settings: the setting that each option sets.
    """
    grouped: dict[str, Any] = {}
    for option, setting in settings.items():
        *groups, last = setting.split(".")
        inner = grouped
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[last] = None if options.get(option) is False else options.get(option)
    return grouped


def overlay(content: dict[str, Any], options: Mapping[str, Any]) -> None:
    """Overwrite plain settings, in place, with the given options; None means that an option was not given."""
    for name, value in options.items():
        if isinstance(value, dict):
            given = {key: one for key, one in value.items() if one is not None}
            if given:
                inner = content.setdefault(name, {})
                content[name] = (inner | given) if isinstance(inner, dict) else inner
        elif value is not None:
            content[name] = value


def from_environment(settings: Settings) -> dict[str, Origin]:
    """The settings that come from an environment variable, because nothing else sets them."""
    from rtser.access_token import VARIABLE
    from rtser.serve.settings import ServeSettings

    unset = isinstance(settings, ServeSettings) and settings.access.token_file is None
    return {"access.token_file": Origin("environment", VARIABLE)} if unset and os.environ.get(VARIABLE) else {}
