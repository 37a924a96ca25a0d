"""Settings in YAML: reading, changes from the command line, checks; and the settings of `rtser listen`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from rtser.choices import Provider, SampleFormat
from rtser.engine.decider import DecideSettings
from rtser.errors import InputError
from rtser.settings_problems import settings_error


class Settings(BaseModel, extra="forbid", frozen=True, allow_inf_nan=False):
    """Base of all settings. Settings are immutable, and an unknown key is an error."""


Checked = TypeVar("Checked", bound=Settings)
Seconds = Annotated[float, Field(gt=0, le=3600)]
Megabytes = Annotated[float, Field(gt=0)]
ModelFile = Annotated[Path | None, Field(description="model file; null: the shipped one")]
ProviderName = Annotated[Provider, Field(description="where the network runs: auto, cpu or cuda")]
WindowSeconds = Annotated[
    Annotated[float, Field(ge=0.335, le=3600)] | None,
    Field(description="length of the decision window in seconds; null: the model's own (4)"),
]
Deciding = Annotated[
    DecideSettings,
    Field(description="how decisions every 60 ms become a steady label; durations in seconds, all else 0 to 1"),
]


class SourceSettings(Settings):
    """How the microphone is kept alive."""

    ring_s: Annotated[float, Field(ge=1, le=3600)] = Field(
        10.0, description="seconds of sound that are kept while the engine is busy; older sound is dropped"
    )
    max_lag_ms: Annotated[float, Field(ge=100, le=60_000)] = Field(
        500.0, description="milliseconds; sound that waits longer is skipped, up to the newest hop, and counted"
    )
    watchdog_s: Seconds = Field(2.0, description="seconds without sound until the source counts as lost")
    retry_min_s: Seconds = Field(0.5, description="seconds until it is opened again; doubles with each failure")
    retry_max_s: Seconds = Field(10.0, description="seconds; the longest pause between two attempts")

    @model_validator(mode="after")
    def _ring_holds_the_lag(self) -> SourceSettings:
        if 1000 * self.ring_s < self.max_lag_ms:
            raise ValueError("ring_s must hold at least max_lag_ms of sound")
        return self


class RawSettings(Settings):
    """The format of samples without a header."""

    format: SampleFormat = Field("s16le", description="format of a sample, by its FFmpeg name")
    rate: Annotated[int, Field(ge=8_000, le=192_000)] = Field(16_000, description="sample rate in Hz")
    channels: Annotated[int, Field(ge=1, le=256)] = Field(1, description="number of interleaved channels")


class VoiceSettings(Settings):
    """Whose voice is heard."""

    profile: str | None = Field(
        None,
        description="file from rtser enrol; auto: rtser listen learns it (auto:FILE: in that file); null: no voice",
    )
    strength: Annotated[float, Field(ge=0, le=1)] = Field(
        0.5, description="share of a profile's difference from the average voice that is removed, 0 to 1"
    )
    auto_strength: Annotated[float, Field(ge=0, le=1)] = Field(
        0.25, description="the same for auto; smaller, because not all speech heard is neutral"
    )
    auto_hours: Annotated[float, Field(gt=0, le=10_000)] = Field(
        10.0, description="hours of speech over which auto forgets older speech"
    )
    auto_after_s: Annotated[float, Field(ge=5, le=36_000)] = Field(
        60.0, description="seconds of speech before auto changes anything"
    )


class OutputSettings(Settings):
    """Outputs of events and sound, besides the screen."""

    jsonl: Path | None = Field(None, description="append events to this file, as JSON lines")
    csv: Path | None = Field(None, description="append decisions to this file, as a table")
    log_max_mb: Megabytes = Field(
        100.0, description="megabytes; a log of this size is renamed NAME.1, and a new one begins"
    )
    log_keep: Annotated[int, Field(ge=1)] = Field(5, description="number of renamed logs to keep")
    record: Path | None = Field(
        None, description="folder for the sound around each utterance, as FLAC, with its event beside it"
    )
    record_max_mb: Megabytes = Field(500.0, description="megabytes; beyond this the oldest recordings are deleted")
    mqtt: str | None = Field(
        None, description="send events and the label to this broker: mqtt://HOST/PREFIX; needs the package paho-mqtt"
    )
    save_audio: Path | None = Field(None, description="write all sound to this WAV file (18 hours at most)")

    @property
    def recorded(self) -> str:
        """Where sound is kept, in words; empty if it is not."""
        kept = [(self.record, "the sound around utterances"), (self.save_audio, "all sound")]
        return ", ".join(f"{what} goes to {path}" for path, what in kept if path)


class ListenSettings(Settings):
    """All settings of `rtser listen`; `settings_yaml` writes them with explanations."""

    device: str | None = Field(
        None, description="input device: its name, part of it, or its index (rtser devices); null: the default one"
    )
    channel: Annotated[int, Field(ge=0)] | None = Field(
        None, description="channel to use, counted from 0; null: the mean of the first two"
    )
    model: ModelFile = None
    provider: ProviderName = "auto"
    window_s: WindowSeconds = None
    plain: bool = Field(False, description="print lines of text instead of the live view")
    decide: Deciding = DecideSettings()
    voice: VoiceSettings = Field(VoiceSettings(), description="the speaker's voice, if it is known")
    source: SourceSettings = Field(SourceSettings(), description="how the microphone is kept alive")
    outputs: OutputSettings = Field(OutputSettings(), description="outputs of events and sound, besides the screen")

    @model_validator(mode="before")
    @classmethod
    def _device_may_be_an_index(cls, content: Any) -> Any:
        if isinstance(content, dict) and type(content.get("device")) is int:
            return content | {"device": str(content["device"])}
        return content


LISTEN_HEADER = """\
# Every setting of `rtser listen` with its default. Change a copy: rtser listen --config my.yaml.
# One setting alone: rtser listen --set decide.hold_s=1. `rtser settings` prints this file.
# `rtser file --config` ignores `device`, `source` and `outputs`, and uses the rest, so that it decides the same.
"""


def settings_yaml(settings: Settings | None = None, header: str = LISTEN_HEADER) -> str:
    """Settings as a YAML file with a header and explanations; the defaults of `rtser listen` if none are given."""
    lines = commented_yaml(settings or ListenSettings(), lambda _, description: description)
    return "\n".join([header, *lines]) + "\n"


def commented_yaml(settings: BaseModel, comment: Callable[[str, str], str], group: str = "") -> list[str]:
    """Settings as lines of YAML, each with a comment.

    Args:
        settings: the settings to write.
        comment: makes a comment from the whole name of a setting or group (``decide.hold_s``, ``decide``) and its
            description.
        group: the whole name of their group, with a dot at the end.
    """
    lines, indent = [], "  " * group.count(".")
    for name, field in type(settings).model_fields.items():
        value, whole = getattr(settings, name), f"{group}{name}"
        if isinstance(value, BaseModel):
            lines += ["", _commented(f"{indent}{name}:", comment(whole, field.description or ""))]
            lines += commented_yaml(value, comment, f"{whole}.")
        else:
            plain = str(value) if isinstance(value, Path) else value
            text = yaml.safe_dump([plain], default_flow_style=True, width=math.inf).strip()[1:-1]
            lines.append(_commented(f"{indent}{name}: {text}", comment(whole, field.description or "")))
    return lines


def _commented(line: str, comment: str) -> str:
    return f"{line} ".ljust(26) + f"# {comment}" if comment else line


def read_settings(path: Path | None, changes: list[str]) -> dict[str, Any]:
    """The settings in a YAML file, not yet checked.

    Args:
        path: the file; None for no file.
        changes: settings that replace the file's, such as ``decide.hold_s=1``.

    Raises:
        InputError: the file is missing or is not YAML, or a change is not of the form key=value.
    """
    content: Any = {}
    if path is not None:
        try:
            content = parse_yaml(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise InputError(f"configuration {path} cannot be read ({reason})") from None
        content = {} if content is None else content
        if not isinstance(content, dict):
            raise InputError(f"configuration {path}: expected settings as 'key: value' lines")
    settings: dict[str, Any] = content
    for change in changes:
        _apply(settings, change)
    return settings


def parse_yaml(text: str, source: str) -> Any:
    """The content of a YAML text; raises InputError if it is not YAML, or names a setting twice in one group."""
    try:
        return yaml.load(text, _OnceEach)  # _OnceEach is a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise InputError(f"{source} is not valid YAML ({place}{error.problem})") from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:  # no character; deep nesting
        raise InputError(f"{source} is not valid YAML ({' '.join(str(error).split())})") from None


class _OnceEach(yaml.SafeLoader):
    """The library's safe loader, changed to refuse a repeated key; the library would take the last one.

    It also refuses, as YAML errors with a place, values that the library fails on: a group that contains itself, a
    value that does not fit its tag, an impossible date, a huge number.
    """

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ARG002
        """The content of a node; always at once, because only then does the library refuse a group in itself."""
        try:
            return super().construct_object(node, deep=True)
        except (ValueError, LookupError, AttributeError):
            kind = node.tag.rpartition(":")[2]
            raise yaml.MarkedYAMLError(problem=f"this is not a valid {kind}", problem_mark=node.start_mark) from None

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """The content of a mapping."""
        keys = [key for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
        seen: set[str] = set()
        for key in keys:
            if not isinstance(key, yaml.ScalarNode):  # the library refuses it
                continue
            if key.value in seen:
                raise yaml.MarkedYAMLError(problem=f"{key.value} is given twice", problem_mark=key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def checked(kind: type[Checked], content: Any, source: str, places: Mapping[str, str] | None = None) -> Checked:
    """Checked settings of a kind, from plain ones.

    Args:
        kind: the class of the settings.
        content: the plain settings.
        source: their origin, in words.
        places: names of single settings in messages, by their whole names (``decide.hold_s``); without an entry,
            messages use `source` and the name.

    Raises:
        SettingsError: some settings are unknown or out of range; the error names all of them.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        raise settings_error(kind, error, source, places or {}) from None


def leaves(content: Mapping[str, Any], group: str = "") -> Iterator[tuple[str, Any]]:
    """Each plain setting by its whole name (``decide.hold_s``), and its value."""
    for name, value in content.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{group}{name}.")
        else:
            yield f"{group}{name}", value


def _apply(content: dict[str, Any], change: str) -> None:
    key, equals, value = change.partition("=")
    if not equals or not key.strip():
        raise InputError(f"--set {change}: this is not a setting", "write key=value")
    *parents, last = key.strip().split(".")
    for parent in parents:
        if not isinstance(content.setdefault(parent, {}), dict):
            raise InputError(f"--set {change}: {parent} is not a group of settings")
        content = content[parent]
    content[last] = parse_yaml(value, f"--set {change}")
