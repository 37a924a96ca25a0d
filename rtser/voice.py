"""Voices: how a person's neutral speech differs from the average voice's, enrolled once or learnt while listening.

A model may hear a calm voice as sad. Its decisions then become softmax(log(emotions) - strength (voice - average)),
where `voice` and `average` are means of log(emotions) over neutral speech. They are K numbers. They do not tell who
speaks or what was said.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict, Field, ValidationError, model_validator

import rtser
from rtser.engine.contract import Float32, Metadata
from rtser.engine.decision import Utterance
from rtser.engine.model import Model
from rtser.errors import ArgumentError, InputError
from rtser.files import replacing
from rtser.settings import Settings, VoiceSettings

Float64 = NDArray[np.float64]

NEUTRAL = "neutral"
FLOOR = 1e-4
"""A smaller probability counts as this one, so that no outlier dominates a mean."""
BOUND = 2.0
"""The largest difference from the average voice that counts, in log(emotions)."""
LONGEST_S = 60.0
"""Seconds; a longer utterance counts as one of this length."""
DEFAULTS = VoiceSettings()


class VoiceModel(Settings):
    """Which model heard a voice."""

    name: str
    sha256: str


class VoiceProfile(Settings):
    """What the file of a voice holds."""

    model_config = ConfigDict(serialize_by_alias=True)

    layout: Literal[1] = Field(1, alias="schema", description="version of this layout")
    model: VoiceModel = Field(description="the model that heard it: probabilities differ by model")
    labels: tuple[str, ...] = Field(min_length=1, description="the K emotions")
    mean_log_emotions: tuple[Annotated[float, Field(ge=-100, le=0)], ...] = Field(description="K numbers, mean of logs")
    speech_s: Annotated[float, Field(ge=0)] = Field(description="seconds of speech heard")
    created: str = Field(description="when, UTC, ISO 8601")
    version: str = Field(description="of rtser")

    @model_validator(mode="after")
    def _a_number_for_each_label(self) -> VoiceProfile:
        if len(self.mean_log_emotions) != len(self.labels):
            raise ValueError("mean_log_emotions must have one number for each label")
        return self


@dataclass(frozen=True)
class Voice:
    """A voice that was enrolled. It is the same for every stream and learns nothing.

    Examples:
        >>> import rtser
        >>> voice = rtser.enrol(rtser.sample_path(), rtser.load())
        >>> voice.profile.speech_s > 5
        True
        >>> rtser.recognise(rtser.sample_path(), voice=voice).start.voice
        'demo'

    Attributes:
        profile: what its file holds.
        name: its name in the events.
        strength: how much of its difference from the average voice is taken off, 0 to 1.

    Raises:
        ArgumentError: the strength is out of range.
    """

    profile: VoiceProfile
    name: str = "voice"
    strength: float = DEFAULTS.strength

    def __post_init__(self) -> None:
        _check_strength(self.strength)

    @staticmethod
    def load(path: str | os.PathLike[str], strength: float = DEFAULTS.strength) -> Voice:
        """Read a file that `save` or `rtser enrol` wrote. The voice gets the file's name without its suffix.

        Raises:
            InputError: the file cannot be read, or is not a voice profile.
            ArgumentError: the strength is out of range.
        """
        path = Path(path)
        try:
            return Voice(VoiceProfile.model_validate_json(path.read_text(encoding="utf-8")), path.stem, strength)
        except ValidationError as error:
            first = error.errors()[0]
            wrong = ": ".join(filter(None, [".".join(map(str, first["loc"])), first["msg"]]))
            raise InputError(f"{path} is not a voice profile ({wrong})", "rtser enrol makes one") from None
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise InputError(f"voice profile {path} cannot be read ({reason})", "rtser enrol makes one") from None

    def save(self, path: str | os.PathLike[str], replace: bool = False) -> None:
        """Write the profile as JSON. `replace`: whether an existing file may be replaced.

        Raises:
            ArgumentError: the file exists.
            OutputError: it cannot be written.
        """
        if not replace and Path(path).exists():
            raise ArgumentError(f"{path} exists already", "name another file, or replace it")
        with replacing(Path(path)) as part:
            part.write_text(self.profile.model_dump_json(indent=2) + "\n", encoding="utf-8")

    def check(self, model: Model) -> None:
        """Raise ArgumentError if another model heard the voice."""
        heard_by = self.profile.model
        if heard_by.sha256 != model.sha256 or self.profile.labels != model.labels:
            names = f"{heard_by.name} ({heard_by.sha256[:8]}), not {model.metadata.name} ({model.sha256[:8]})"
            raise ArgumentError(f"voice {self.name} was heard by the model {names}", "enrol it again with this model")

    def factors(self, model: Model) -> Float32:
        """exp(-strength (voice - average)) of each emotion, (K,); raises ArgumentError if the model is another."""
        self.check(model)
        return voice_factors(np.array(self.profile.mean_log_emotions), average_voice(model.metadata), self.strength)

    def hear(self, utterance: Utterance, factors: Float32 | None) -> None:
        """Learn nothing."""


class LearningVoice:
    """A voice that learns while its streams decide, for a program that hears one person for weeks.

    It is the mean over all utterances that have ended, whatever their emotion. So it is the person's neutral voice only
    if most of what is said is neutral.

    Args:
        model: the model that hears the voice.
        known: what was learnt before; None to begin anew.
        settings: of these, `auto_strength`, `auto_hours` and `auto_after_s` are used.
        name: its name in the events.

    Attributes:
        speech_s: seconds of speech heard.

    Raises:
        ArgumentError: another model heard what is known, or the model does not know the average voice.
    """

    def __init__(
        self, model: Model, known: Voice | None = None, settings: VoiceSettings | None = None, name: str = "auto"
    ) -> None:
        self.name, self._model, self._settings = name, model, settings or DEFAULTS
        self._average = average_voice(model.metadata)
        self.forget()
        if known is not None:
            known.check(model)
            self._heard = HeardSpeech(np.array(known.profile.mean_log_emotions), known.profile.speech_s)

    @property
    def speech_s(self) -> float:
        """How many seconds of speech were heard."""
        return self._heard.speech_s

    @property
    def voice(self) -> Voice:
        """What is known now, to save it, or to use it without learning."""
        model = VoiceModel(name=self._model.metadata.name, sha256=self._model.sha256)
        mean = tuple(round(value, 6) for value in self._heard.mean.tolist())
        created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        told = {"labels": self._model.labels, "created": created, "version": rtser.__version__}
        profile = VoiceProfile(model=model, mean_log_emotions=mean, speech_s=round(self.speech_s, 3), **told)
        return Voice(profile, self.name, self._settings.auto_strength)

    def forget(self) -> None:
        """Begin anew."""
        self._heard = HeardSpeech(np.zeros(len(self._model.labels)))

    def factors(self, model: Model) -> Float32 | None:
        """As `Voice.factors`; None before `auto_after_s` seconds of speech."""
        if model.sha256 != self._model.sha256:
            raise ArgumentError(f"voice {self.name} is heard by another model", "make one for this model")
        if self.speech_s < self._settings.auto_after_s:
            return None
        return voice_factors(self._heard.mean, self._average, self._settings.auto_strength)

    def hear(self, utterance: Utterance, factors: Float32 | None) -> None:
        """Learn from an utterance that has ended, and was decided with these factors (K,)."""
        self._heard = self._heard.with_utterance(utterance, factors, 3600 * self._settings.auto_hours)


class HeardSpeech(NamedTuple):
    """The mean of log(emotions) over utterances (K,), weighted by their lengths, and how many seconds they last."""

    mean: Float64
    speech_s: float = 0.0

    def with_utterance(self, said: Utterance, factors: Float32 | None, memory_s: float) -> HeardSpeech:
        """With another utterance.

        Args:
            said: the utterance.
            factors: (K,), those that it was decided with; they are taken off.
            memory_s: time constant in seconds of speech, after which what was heard fades.
        """
        raw = np.array(list(said.emotions.values())) / (1.0 if factors is None else factors)
        seconds = min(said.end_s - said.start_s, LONGEST_S)
        share = seconds / (min(self.speech_s, memory_s) + seconds)
        mean = self.mean + share * (np.log(np.maximum(raw / raw.sum(), FLOOR)) - self.mean)
        return HeardSpeech(mean, self.speech_s + seconds)


def average_voice(metadata: Metadata) -> Float64:
    """log(emotions) of the average voice speaking neutrally (K,): the model's `baseline`.

    If a model has none, neutral gets the probability of the label threshold, and the others share the rest evenly.

    Raises:
        ArgumentError: the model has no baseline and no emotion neutral.
    """
    if metadata.baseline is not None:
        return np.array(metadata.baseline)
    if NEUTRAL not in metadata.labels:
        raise ArgumentError(f"model {metadata.name} does not know the average voice", "recognise without a voice")
    kinds = len(metadata.labels)
    likely = min(max(metadata.label_threshold, 1 / kinds), 0.9)
    neutral = np.array(metadata.labels) == NEUTRAL
    return np.log(np.where(neutral, likely, (1 - likely) / max(kinds - 1, 1)))


def voice_factors(mean: Float64, average: Float64, strength: float) -> Float32:
    """exp(-strength (mean - average)) for a voice and the average one, (K,) each; see `BOUND`.

    A constant added to either changes nothing.
    """
    difference = mean - average
    bounded = np.clip(difference - difference.mean(), -BOUND, BOUND)
    factors: Float32 = np.exp(-strength * bounded).astype(np.float32)
    return factors


def _check_strength(strength: float) -> None:
    if not (type(strength) in (int, float) and 0 <= strength <= 1):
        raise ArgumentError(f"a voice's strength must be 0 to 1, not {strength!r}")
