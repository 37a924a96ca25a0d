"""Settings in YAML: read, changed from the command line, checked; and those of `rtser listen`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from rtser.engine.decider import DecideSettings
from rtser.errors import InputError


class Settings(BaseModel):
    """Base of all settings: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Checked = TypeVar("Checked", bound=Settings)
Seconds = Annotated[float, Field(gt=0, le=3600)]
Megabytes = Annotated[float, Field(gt=0)]


class SourceSettings(Settings):
    """How the microphone is kept alive."""

    ring_s: Annotated[float, Field(ge=1, le=3600)] = Field(
        10.0, description="sound kept while the recogniser is busy; then the oldest is dropped"
    )
    max_lag_ms: Annotated[float, Field(ge=100, le=60_000)] = Field(
        500.0, description="later than this, sound is skipped"
    )
    watchdog_s: Seconds = Field(2.0, description="so long without sound, and the source counts as lost")
    retry_min_s: Seconds = Field(0.5, description="pause before it is opened again; doubles with each failure")
    retry_max_s: Seconds = Field(10.0, description="longest such pause")

    @model_validator(mode="after")
    def _ring_holds_the_lag(self) -> SourceSettings:
        if 1000 * self.ring_s < self.max_lag_ms:
            raise ValueError("ring_s must hold at least max_lag_ms of sound")
        return self


class OutputSettings(Settings):
    """Where events and sound go, beside the screen."""

    jsonl: Path | None = Field(None, description="events as JSON lines, appended")
    csv: Path | None = Field(None, description="decisions as a table, appended")
    log_max_mb: Megabytes = Field(100.0, description="a log that reaches this is renamed NAME.1 and begun anew")
    log_keep: Annotated[int, Field(ge=1)] = Field(5, description="renamed logs that are kept")
    record: Path | None = Field(None, description="folder for the sound around each utterance, as FLAC")
    record_max_mb: Megabytes = Field(500.0, description="beyond this the oldest recordings are deleted")
    save_audio: Path | None = Field(None, description="one WAV file for everything heard")


class ListenSettings(Settings):
    """Everything that `rtser listen` can be told; configs/listen.yaml explains each."""

    device: str | None = None
    channel: Annotated[int, Field(ge=0)] | None = None
    model: Path | None = None
    provider: Literal["auto", "cpu", "cuda"] = "auto"
    window_s: Annotated[float, Field(ge=0.335, le=3600)] | None = None
    plain: bool = False
    decide: DecideSettings = DecideSettings()
    source: SourceSettings = SourceSettings()
    outputs: OutputSettings = OutputSettings()

    @model_validator(mode="before")
    @classmethod
    def _device_may_be_an_index(cls, content: Any) -> Any:
        if isinstance(content, dict) and type(content.get("device")) is int:
            return content | {"device": str(content["device"])}
        return content


def read_settings(path: Path | None, changes: list[str]) -> dict[str, Any]:
    """The settings in a YAML file, not yet checked.

    Args:
        path: the file; None for no settings at all.
        changes: settings that replace the file's, as ``decide.hold_s=1``.

    Raises:
        InputError: the file is missing or no YAML, or a change is none.
    """
    content: Any = {}
    if path is not None:
        try:
            content = parse_yaml(path.read_text(encoding="utf-8"), str(path))
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
            raise InputError(f"configuration {path} cannot be read ({reason}).") from None
        content = {} if content is None else content
        if not isinstance(content, dict):
            raise InputError(f"configuration {path}: expected settings as 'key: value' lines.")
    settings: dict[str, Any] = content
    for change in changes:
        _apply(settings, change)
    return settings


def parse_yaml(text: str, source: str) -> Any:
    """The content of a YAML text; raises InputError where it is none."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{source} is no valid YAML ({' '.join(str(error).split())}).") from None


def checked(kind: type[Checked], content: Any, source: str) -> Checked:
    """Settings of a kind from plain ones; raises InputError naming the first wrong key."""
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "settings"
        unknown = first["type"] in ("extra_forbidden", "unexpected_keyword_argument")
        message = "there is no such setting" if unknown else first["msg"].removeprefix("Value error, ")
        raise InputError(f"{source}: {where}: {message}.") from None


def _apply(content: dict[str, Any], change: str) -> None:
    key, equals, value = change.partition("=")
    if not equals or not key.strip():
        raise InputError(f"--set {change}: write key=value.")
    *parents, last = key.strip().split(".")
    for parent in parents:
        if not isinstance(content.setdefault(parent, {}), dict):
            raise InputError(f"--set {change}: {parent} is no group of settings.")
        content = content[parent]
    content[last] = parse_yaml(value, f"--set {change}")
