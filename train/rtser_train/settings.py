"""The parts of an experiment's configuration: every setting with its unit, default and bounds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, Field, field_validator

from rtser.settings import Settings
from rtser_train.registry import HEADS, SEGMENT_NETWORKS

Rate = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]

SegmentNetworkName = Annotated[str, AfterValidator(SEGMENT_NETWORKS.check)]
HeadName = Annotated[str, AfterValidator(HEADS.check)]

SIZES: dict[str, tuple[int, int, int, int]] = {
    "tiny": (4, 8, 8, 16),
    "edge": (16, 32, 64, 128),
    "edge-wide": (16, 48, 96, 192),
    "paper": (64, 128, 256, 256),
}
"""Channels of a segment network's four stages by the name of its size."""

ENERGY_FLOOR = 2.0**-23
"""Default of the least energy of a Mel bin: Kaldi's."""


def log_floor(floor: float) -> float:
    """The natural logarithm of a floor, rounded as the front-end's float32."""
    return float(np.log(np.float32(floor)))


class Fit(Settings):
    """How one network is fitted: optimiser, learning rate and its schedule, early stopping, averaged weights."""

    epochs: Count = 40
    patience: Count = Field(8, description="epochs without a better validation UA before stopping")
    batch: Annotated[int, Field(ge=2)] = Field(32, description="bags per step")
    optimiser: Literal["adam", "muon"] = Field(
        "adam", description="muon: Muon for matrices and convolutions, and Adam for the rest"
    )
    learning_rate: Positive = 1e-3
    schedule: Literal["decay", "one-cycle"] = Field(
        "decay", description="schedule of the learning rate; one-cycle: rises to it, then falls to zero over all epochs"
    )
    decay: Annotated[float, Field(gt=0, le=1)] = Field(0.9, description="factor of the learning rate, every two epochs")
    average: Rate = Field(0.99, description="decay of the running average of the weights, for each step")
    weight_decay: Annotated[float, Field(ge=0)] = Field(
        1e-4,
        description="Adam: share of the weight added to its gradient; Muon: share removed, times the learning rate",
    )
    label_smoothing: Rate = 0.1


class CnnSettings(Settings):
    """Stage 1: the segment CNN."""

    network: SegmentNetworkName = Field(
        "segcnn",
        description=f"from frames to an embedding of each segment; one of {', '.join(SEGMENT_NETWORKS.names)}",
    )
    size: Literal["tiny", "edge", "edge-wide", "paper"] = "edge"
    start: Path | None = Field(
        None, description="model file; the fit begins with its segment network, without the outputs of emotions"
    )
    start_sha256: str | None = Field(
        None, description="SHA-256 of that file; noted when the configuration is read, so that a run keeps the file"
    )
    embedding: Count = Field(128, description="dimension F")
    level: bool = Field(
        False,
        description="frames relative to a running level: a constant gain changes nothing",
    )
    dropout: Rate = 0.3
    segments: Count = Field(30, description="segments of the random crop of an utterance")
    margin: Annotated[int, Field(ge=0)] | None = Field(
        None, description="most segments of a crop before and after the speech; null: up to the ends of the recording"
    )
    draws: Positive = Field(
        1.0, description="draws in an epoch for each training utterance, balanced over corpora and emotions"
    )
    noise_share: Rate = Field(0.1, description="share of the draws that are noise recordings")
    bag_loss: Annotated[float, Field(ge=0)] = Field(
        0.0, description="weight of the loss of a crop's mean logits, beside that of its segments; 0 is the paper's"
    )
    speech_loss: Annotated[float, Field(ge=0)] = Field(0.5, description="weight of the speech head's loss")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="precision of training; bfloat16 is faster on CPUs with AVX-512 BF16 or AMX, and on GPUs"
    )
    fit: Fit = Fit()

    @property
    def widths(self) -> tuple[int, int, int, int]:
        """Channels of the four stages."""
        return SIZES[self.size]


class AttentionSettings(Settings):
    """Stage 2: a decision on segment embeddings."""

    heads: Annotated[list[HeadName], Field(min_length=1)] = Field(
        ["feature-att"],
        description="networks trained on the same embeddings, the first of which is exported; "
        f"some of {', '.join(HEADS.names)}",
    )
    padding: Literal["masked", "zeros"] = Field(
        "masked",
        description="of bags shorter than T. masked: padding takes no part, segments are weighed by their speech, and "
        "decisions on 1 to T segments are learnt; zeros: the paper's, on the first T segments (cannot stream)",
    )
    features: Count = Field(120, description="dimension D of the bag representation")
    dropout: Rate = 0.4
    window: Count = Field(62, description="T, the longest window in segments; also the model's default window")
    fit: Fit = Fit(epochs=40, batch=64)


class Waveform(Settings):
    """Random changes to the sound of a version of an utterance, in this order; a chance of 0 turns one off."""

    voice_probability: Rate = Field(0.5, description="another voice: pitch and formants are moved independently")
    pitch_semitones: Annotated[float, Field(ge=0)] = Field(2.5, description="change of its median pitch, plus or minus")
    formants: Rate = Field(0.12, description="largest relative shift of its formants")
    room_probability: Rate = Field(0.5, description="a simulated room")
    band_probability: Rate = Field(0.2, description="a band pass of 50..400 to 2500..8000 Hz")
    clip_probability: Rate = Field(0.1, description="clipping by 3 to 15 dB")
    codec_probability: Rate = Field(0.25, description="a telephone line (mu-law), Opus or MP3")


class Features(Settings):
    """What is made of every recording once, and kept in the cache."""

    energy_floor: Positive = Field(ENERGY_FLOOR, description="least energy of a Mel bin; part of the model")
    versions: Annotated[int, Field(ge=0)] = Field(0, description="changed versions beside the sound as it is")
    waveform: Waveform = Waveform()

    @property
    def log_floor(self) -> float:
        """The value of a bin that holds no more energy than the floor."""
        return log_floor(self.energy_floor)


class Sampling(Settings):
    """How often each utterance is drawn in training."""

    speaker_power: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="a corpus weighs by its number of speakers to this power; 0: all weigh the same"
    )
    by_speaker: bool = Field(
        False,
        description="within an emotion of a corpus a speaker weighs by the square root of his or her utterances; "
        "false: all utterances weigh the same",
    )
    weights: dict[str, Positive] = Field({}, description="further factor of a corpus")


class Joint(Settings):
    """Both stages trained at once: CNN, context and the first head, on crops of utterances."""

    context: Annotated[int, Field(ge=0)] = Field(128, description="width of the recurrent context; 0: none")
    segments: Count = Field(40, description="longest crop")
    draws: Annotated[int, Field(ge=2)] = Field(10_000, description="utterances drawn an epoch")
    segment_loss: Annotated[float, Field(ge=0)] = Field(0.3, description="weight of the loss of the segments")
    prefix_loss: Annotated[float, Field(ge=0)] = Field(
        0.5, description="weight of the loss after a random part of the crop"
    )
    auxiliary_loss: Annotated[float, Field(ge=0)] = Field(
        0.2, description="weight of the loss of all of a corpus's own emotions, in outputs that do not ship"
    )
    auxiliary_only: list[str] = Field([], description="corpora that train the auxiliary outputs alone")
    not_speech: list[str] = Field([], description="corpora that say nothing about what is speech")
    absent: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="weight in the softmax of an emotion that the utterance's corpus lacks"
    )
    offsets: Literal["none", "corpus", "speaker"] = Field(
        "none", description="corpus or speaker: each learns a bias of the logits, in training only"
    )
    offset_penalty: Annotated[float, Field(ge=0)] = Field(0.02, description="weight of the squares of these biases")
    fit: Fit = Fit(epochs=10, batch=48, learning_rate=3e-3, schedule="one-cycle", patience=100, average=0.998)


class Augment(Settings):
    """Random changes to the training spectrograms; 0 turns one off."""

    gain_db: Annotated[float, Field(ge=0)] = Field(10.0, description="level change, plus or minus")
    noise_probability: Rate = 0.5
    noise_snr_db: tuple[float, float] = (0.0, 30.0)
    reverberation_probability: Rate = Field(0.0, description="how often the late sound of a room is added")
    reverberation_s: tuple[Positive, Positive] = Field((0.2, 1.0), description="seconds in which it fades by 60 dB")
    late_db: tuple[float, float] = Field((-12.0, 5.0), description="its level, relative to the sound without the room")
    hiss_probability: Rate = Field(0.0, description="how often steady noise of a microphone is added")
    hiss_db: tuple[float, float] = Field((-100.0, -45.0), description="its level in dB of full scale")
    frequency_warp: Rate = Field(0.08, description="largest relative stretch of the Mel axis")
    time_warp: Rate = Field(0.12, description="largest relative stretch of time")
    tilt_db: Annotated[float, Field(ge=0)] = Field(6.0, description="spectral tilt from lowest to highest bin")
    equaliser_db: Annotated[float, Field(ge=0)] = Field(
        0.0, description="random smooth frequency response, plus or minus at six points, as rooms and microphones have"
    )
    mask_bins: Annotated[int, Field(ge=0)] = Field(8, description="widest band of Mel bins masked")
    telephone_probability: Rate = Field(0.1, description="how often everything above 3.4 kHz is cut")


class Protocol(Settings):
    """Who is trained on, validated on and tested on."""

    kind: Literal["speakers", "leave-one-speaker-out", "leave-one-session-out", "random", "table"] = Field(
        "speakers",
        description="test folds. speakers: dealt into `folds`; leave-one-...: each is one; random: utterances dealt "
        "into `folds`, so that speakers are trained and tested on; table: as `table` says",
    )
    folds: Annotated[int, Field(ge=2)] = Field(2, description="test folds of the kinds speakers and random")
    table: dict[str, str] | Path | None = Field(
        None, description="fold of each speaker, or a CSV file with the columns speaker and fold; else the corpus's own"
    )
    nested: bool = Field(
        True,
        description="the paper's second cross-validation: inner folds of the training fold choose epochs and "
        "calibration, and embed its utterances for stage 2. false: a `validation` part chooses, and stage 2 learns "
        "from embeddings by a CNN that was trained on the same utterances",
    )
    inner_folds: Annotated[int, Field(ge=2)] = Field(
        2, description="inner folds; one for each speaker if there are fewer speakers"
    )
    validation: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.2, description="without `nested`: about this share of those not tested on, one part in 1 / share, rounded"
    )
    final: bool = Field(True, description="also train a model that nobody is tested on, which is exported")
    seed: Annotated[int, Field(ge=0)] | None = Field(
        None, description="seed of the deal of all folds; null: the run's, so that each seed has folds of its own"
    )

    @field_validator("table", mode="before")
    @classmethod
    def _is_a_table(cls, table: Any) -> Any:
        if table is not None and not isinstance(table, (dict, str, Path)):
            raise ValueError("name a CSV file, or a fold for each speaker")
        return table
