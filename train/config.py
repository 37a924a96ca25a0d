"""The configuration of one experiment: every setting with its unit, default and bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from rtser.errors import InputError
from rtser.settings import Settings, checked, read_settings
from train.cnn import SIZES

_PACKAGED = Path(__file__).parent / "configs"
CONFIGS = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[1] / "configs" / "train"
"""Where the shipped configurations lie: inside an installed package, or in a checkout."""

Rate = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]


class Fit(Settings):
    """How one network is fitted: Adam, exponential decay every two epochs, early stopping, averaged weights."""

    epochs: Count = 40
    patience: Count = Field(8, description="epochs without a better validation UA before stopping")
    batch: Annotated[int, Field(ge=2)] = Field(32, description="bags a step")
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    decay: Annotated[float, Field(gt=0, le=1)] = Field(0.9, description="of the learning rate, every two epochs")
    average: Rate = Field(0.99, description="decay, a step, of the running average of the weights")
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    label_smoothing: Rate = 0.1


class CnnSettings(Settings):
    """Stage 1: the segment CNN."""

    size: Literal["tiny", "edge", "paper"] = "edge"
    embedding: Count = Field(128, description="dimension F")
    dropout: Rate = 0.3
    segments: Count = Field(30, description="segments of the random crop taken from an utterance")
    draws: Annotated[float, Field(gt=0)] = Field(
        1.0, description="utterances drawn an epoch, balanced over corpora and emotions, for each training utterance"
    )
    noise_share: Rate = Field(0.1, description="share of the draws that are noise recordings")
    bag_loss: Annotated[float, Field(ge=0)] = Field(
        0.0, description="weight of the loss of a crop's mean logits, beside that of its segments; 0 is the paper's"
    )
    speech_loss: Annotated[float, Field(ge=0)] = Field(0.5, description="weight of the speech head's loss")
    fit: Fit = Fit()

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Channels of the four stages."""
        return SIZES[self.size]


class AttentionSettings(Settings):
    """Stage 2: a decision on segment embeddings."""

    head: Literal["feature-att", "d-single", "d-multi", "cnn-mp", "cnn-ap"] = Field(
        "feature-att", description="the paper's three attention models, and its two poolings"
    )
    embeddings: Literal["out-of-fold", "in-fold"] = Field(
        "out-of-fold",
        description="of the training utterances: by inner CNNs that never saw them (the paper's second "
        "cross-validation), or by the CNN of stage 1 itself",
    )
    features: Count = Field(120, description="dimension D of the bag representation")
    dropout: Rate = 0.4
    window: Count = Field(62, description="T, the longest window in segments; also the model's default window")
    fit: Fit = Fit(epochs=40, batch=64)


class Augment(Settings):
    """Random changes to the training spectrograms; 0 turns one off."""

    gain_db: Annotated[float, Field(ge=0)] = Field(10.0, description="level change, plus or minus")
    noise_probability: Rate = 0.5
    noise_snr_db: tuple[float, float] = (0.0, 30.0)
    frequency_warp: Rate = Field(0.08, description="largest relative stretch of the Mel axis")
    time_warp: Rate = Field(0.12, description="largest relative stretch of time")
    tilt_db: Annotated[float, Field(ge=0)] = Field(6.0, description="spectral tilt from lowest to highest bin")
    mask_bins: Annotated[int, Field(ge=0)] = Field(8, description="widest band of Mel bins masked")
    telephone_probability: Rate = Field(0.1, description="how often everything above 3.4 kHz is cut")


class Protocol(Settings):
    """Which speakers are trained on, validated on and tested on."""

    folds: Annotated[int, Field(ge=2)] = Field(2, description="test folds; each speaker is in one")
    validation: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.2, description="about this share of the speakers not tested on: one part in 1 / share, rounded"
    )
    inner_folds: Annotated[int, Field(ge=2)] = Field(2, description="folds that make the out-of-fold embeddings")
    final: bool = Field(True, description="also train a model on all speakers (but validation), which is exported")


class Experiment(Settings):
    """One experiment, as a file in configs/train."""

    name: str
    seed: int = 1
    emotions: Annotated[list[str], Field(min_length=2)]
    merge: dict[str, str] = Field({}, description="corpus emotion -> one of `emotions`; all others are left out")
    corpora: Annotated[list[str], Field(min_length=1)]
    noise: str | None = Field(None, description="folder of recordings without speech")
    licence: str = "unstated"
    limits: str = Field("", description="what the model must not be trusted with, in words")
    min_confidence: Rate = Field(0.4, description="below it a decision names no emotion")
    limit: int | None = Field(None, description="at most so many utterances of each speaker and emotion")
    protocol: Protocol = Protocol()
    cnn: CnnSettings = CnnSettings()
    attention: AttentionSettings = AttentionSettings()
    augment: Augment = Augment()

    @model_validator(mode="after")
    def _names_are_sound(self) -> Experiment:
        for names in (self.emotions, self.corpora):
            if len(set(names)) < len(names):
                raise ValueError(f"{', '.join(names)}: a name stands twice")
        if self.augment.noise_snr_db[0] > self.augment.noise_snr_db[1]:
            raise ValueError("augment.noise_snr_db: the lower bound comes first")
        for source, target in self.merge.items():
            if target not in self.emotions:
                raise ValueError(f"merge: {source} -> {target}, but {target} is not among the emotions")
        return self

    @property
    def sources(self) -> list[str]:
        """Names of everything that must be found: the corpora and the noise recordings."""
        return [*self.corpora, *([self.noise] if self.noise else [])]

    def label(self, emotion: str | None) -> int | None:
        """Class index of a corpus's emotion; None where this experiment leaves it out."""
        name = self.merge.get(emotion or "", emotion)
        return self.emotions.index(name) if name in self.emotions else None


def load_experiment(path: Path, changes: list[str] | None = None) -> Experiment:
    """Read and check a configuration.

    Args:
        path: a YAML file, or the name of a shipped configuration (``debug``).
        changes: settings that replace the file's, as ``cnn.fit.epochs=3``.

    Raises:
        InputError: the file is missing or no YAML, a key is unknown or a value is out of bounds.
    """
    if not path.exists() and (CONFIGS / f"{path.name.removesuffix('.yaml')}.yaml").exists():
        path = CONFIGS / f"{path.name.removesuffix('.yaml')}.yaml"
    if not path.exists():
        shipped = ", ".join(sorted(file.stem for file in CONFIGS.glob("*.yaml")))
        raise InputError(f"configuration {path} does not exist; shipped ones are {shipped}.")
    return checked(Experiment, read_settings(path, changes or []), f"configuration {path}")
