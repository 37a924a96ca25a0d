"""The configuration of one experiment: every setting with its unit, default and bounds."""

from __future__ import annotations

import csv
import math
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from rtser.errors import InputError
from rtser.settings import Settings, checked, read_settings
from rtser_train.registry import BASELINES, HEADS, SEGMENT_NETWORKS

_PACKAGED = Path(__file__).parent / "configs"
CONFIGS = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2] / "configs" / "train"
"""Where the shipped configurations lie: inside an installed package, or in a checkout."""

Rate = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]

SegmentNetworkName = Annotated[str, AfterValidator(SEGMENT_NETWORKS.check)]
HeadName = Annotated[str, AfterValidator(HEADS.check)]
BaselineName = Annotated[str, AfterValidator(BASELINES.check)]

SIZES: dict[str, tuple[int, int, int, int]] = {
    "tiny": (4, 8, 8, 16),
    "edge": (16, 32, 64, 128),
    "paper": (64, 128, 256, 256),
}
"""Channels of a segment network's four stages by the name of its size."""

ENERGY_FLOOR = 2.0**-23
"""The least energy of a Mel bin where nothing else is said: Kaldi's."""

FINAL = "final"
"""Name of the fold that tests nobody, whose model ships."""


class Fit(Settings):
    """How one network is fitted: Adam, exponential decay every two epochs, early stopping, averaged weights."""

    epochs: Count = 40
    patience: Count = Field(8, description="epochs without a better validation UA before stopping")
    batch: Annotated[int, Field(ge=2)] = Field(32, description="bags a step")
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    schedule: Literal["decay", "one-cycle"] = Field(
        "decay", description="of the learning rate; one-cycle: up to it and down to nothing over all epochs"
    )
    decay: Annotated[float, Field(gt=0, le=1)] = Field(0.9, description="of the learning rate, every two epochs")
    average: Rate = Field(0.99, description="decay, a step, of the running average of the weights")
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    label_smoothing: Rate = 0.1


class CnnSettings(Settings):
    """Stage 1: the segment CNN."""

    network: SegmentNetworkName = Field(
        "segcnn",
        description=f"from frames to an embedding of each segment; one of {', '.join(SEGMENT_NETWORKS.names)}",
    )
    size: Literal["tiny", "edge", "paper"] = "edge"
    embedding: Count = Field(128, description="dimension F")
    dropout: Rate = 0.3
    segments: Count = Field(30, description="segments of the random crop taken from an utterance")
    margin: Annotated[int, Field(ge=0)] | None = Field(
        None, description="most segments of a crop before and after the speech; null: as long as the recording goes on"
    )
    draws: Annotated[float, Field(gt=0)] = Field(
        1.0, description="utterances drawn an epoch, balanced over corpora and emotions, for each training utterance"
    )
    noise_share: Rate = Field(0.1, description="share of the draws that are noise recordings")
    bag_loss: Annotated[float, Field(ge=0)] = Field(
        0.0, description="weight of the loss of a crop's mean logits, beside that of its segments; 0 is the paper's"
    )
    speech_loss: Annotated[float, Field(ge=0)] = Field(0.5, description="weight of the speech head's loss")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of training; bfloat16 is faster on CPUs with AVX-512 BF16 or AMX, and on GPUs"
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

    voice_probability: Rate = Field(0.5, description="another voice: pitch and formants moved, apart")
    pitch_semitones: Annotated[float, Field(ge=0)] = Field(2.5, description="of its median pitch, plus or minus")
    formants: Rate = Field(0.12, description="largest relative shift of its formants")
    room_probability: Rate = Field(0.5, description="a simulated room")
    band_probability: Rate = Field(0.2, description="a band pass of 50..400 to 2500..8000 Hz")
    clip_probability: Rate = Field(0.1, description="clipping by 3 to 15 dB")
    codec_probability: Rate = Field(0.25, description="a telephone line (mu-law), Opus or MP3")


class Features(Settings):
    """What is made of every recording once, and kept in the cache."""

    energy_floor: Annotated[float, Field(gt=0)] = Field(
        ENERGY_FLOOR, description="least energy of a Mel bin; part of the model"
    )
    versions: Annotated[int, Field(ge=0)] = Field(0, description="changed versions beside the sound as it is")
    waveform: Waveform = Waveform()

    @property
    def log_floor(self) -> float:
        """The natural logarithm of the floor, as features have it."""
        return math.log(self.energy_floor)


class Sampling(Settings):
    """How often each utterance is drawn in training."""

    speaker_power: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="a corpus weighs by its number of speakers to this power; 0: all corpora the same"
    )
    by_speaker: bool = Field(
        False,
        description="within an emotion of a corpus a speaker weighs by the square root of his or her utterances; "
        "false: all utterances weigh the same",
    )
    weights: dict[str, Annotated[float, Field(gt=0)]] = Field({}, description="further factor of a corpus")


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
        0.2, description="weight of the loss of each corpus's own emotions, all of them, in outputs that do not ship"
    )
    auxiliary_only: list[str] = Field([], description="corpora that train the auxiliary outputs alone")
    not_speech: list[str] = Field([], description="corpora that say nothing about what is speech")
    absent: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="weight in the softmax of an emotion that the utterance's corpus lacks"
    )
    offsets: Literal["none", "corpus", "speaker"] = Field(
        "none", description="whose own bias of the logits is learnt beside, in training only"
    )
    offset_penalty: Annotated[float, Field(ge=0)] = Field(0.02, description="of the squares of these offsets")
    fit: Fit = Fit(epochs=10, batch=48, learning_rate=3e-3, schedule="one-cycle", patience=100, average=0.998)


class Augment(Settings):
    """Random changes to the training spectrograms; 0 turns one off."""

    gain_db: Annotated[float, Field(ge=0)] = Field(10.0, description="level change, plus or minus")
    noise_probability: Rate = 0.5
    noise_snr_db: tuple[float, float] = (0.0, 30.0)
    hiss_probability: Rate = Field(0.0, description="how often steady noise of a microphone is added")
    hiss_db: tuple[float, float] = Field((-100.0, -45.0), description="its level, of full scale")
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
        2, description="inner folds, or one a speaker where there are fewer"
    )
    validation: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.2, description="without `nested`: about this share of those not tested on, one part in 1 / share, rounded"
    )
    final: bool = Field(True, description="also train a model that nobody is tested on, which is exported")

    @field_validator("table", mode="before")
    @classmethod
    def _is_a_table(cls, table: Any) -> Any:
        if table is not None and not isinstance(table, (dict, str, Path)):
            raise ValueError("name a CSV file, or a fold for each speaker")
        return table


class Experiment(Settings):
    """One experiment, as a file in configs/train."""

    name: str
    seeds: list[Seed] = Field([1], min_length=1, description="each trains and tests every fold")
    emotions: Annotated[list[str], Field(min_length=2)]
    merge: dict[str, str] = Field({}, description="corpus emotion -> one of `emotions`; all others are left out")
    corpora: Annotated[list[str], Field(min_length=1)]
    noise: str | None = Field(None, description="folder of recordings without speech")
    noise_held_out: bool = Field(False, description="leave out the third that `rtser robustness` measures with")
    features: Features = Features()
    sampling: Sampling = Sampling()
    licence: str = "unstated"
    limits: str = Field("", description="what the model must not be trusted with, in words")
    label_threshold: Rate = Field(0.4, description="below it a decision names no emotion")
    limit: Count | None = Field(None, description="at most so many utterances of each speaker and emotion")
    protocol: Protocol = Protocol()
    cnn: CnnSettings = CnnSettings()
    attention: AttentionSettings = AttentionSettings()
    joint: Joint | None = Field(None, description="train both stages at once; null: one after the other, as the paper")
    baselines: list[BaselineName] = Field(
        [], description=f"other systems measured on the same folds; some of {', '.join(BASELINES.names)}"
    )
    augment: Augment = Augment()

    @model_validator(mode="after")
    def _names_are_sound(self) -> Experiment:
        for names in (self.emotions, self.corpora, self.seeds, self.attention.heads, self.baselines):
            if len(set(names)) < len(names):
                raise ValueError(f"{', '.join(map(str, names))}: a name stands there twice")
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

    def head(self, name: str | None) -> str:
        """One of the experiment's heads, the first if not named; InputError if it has none of this name."""
        heads: list[str] = [*self.attention.heads]
        if name is not None and name not in heads:
            raise InputError(f"there is no head {name} in {self.name}", f"it has {', '.join(heads)}")
        return name or heads[0]

    def label(self, corpus: str, emotion: str | None) -> int | None:
        """Class index of a corpus's emotion; -1 where it only trains auxiliary outputs, None where it is left out."""
        name = self.merge.get(emotion or "", emotion)
        auxiliary = self.joint is not None and self.joint.auxiliary_loss > 0
        if name in self.emotions and not (auxiliary and self.joint and corpus in self.joint.auxiliary_only):
            return self.emotions.index(name)
        return -1 if auxiliary and emotion else None


def load_experiment(path: Path, changes: list[str] | None = None) -> Experiment:
    """Read and check a configuration, and all that it names: the one it extends, and a table of folds.

    Args:
        path: a YAML file, or the name of a shipped configuration (``debug``). A table of folds that it names lies
            relative to it.
        changes: settings that replace the file's, as ``cnn.fit.epochs=3``. A table of folds that they name lies
            relative to the current folder.

    Raises:
        InputError: the file is missing or is not YAML, extends itself, has an unknown key or a value out of bounds.
    """
    path = _found(path)
    experiment = checked(Experiment, _content(path, changes or []), f"configuration {path}")
    table = experiment.protocol.table
    if not isinstance(table, Path):
        return experiment
    folds = _fold_table(table)
    return experiment.model_copy(update={"protocol": experiment.protocol.model_copy(update={"table": folds})})


def _found(path: Path) -> Path:
    if path.is_file():
        return path
    shipped = CONFIGS / f"{str(path).removesuffix('.yaml')}.yaml"
    if not shipped.exists():
        names = ", ".join(sorted(file.stem for file in CONFIGS.glob("*.yaml")))
        raise InputError(f"configuration {path} does not exist", f"shipped ones are {names}")
    return shipped


def _content(path: Path, changes: list[str], extending: tuple[Path, ...] = ()) -> dict[str, Any]:
    """A file's settings over those of the one that it `extends`, which lies in the same folder or is shipped.

    Args:
        path: the file.
        changes: settings that replace the file's.
        extending: the files that lead here, each of which extends the next.
    """
    if path.resolve() in [one.resolve() for one in extending]:
        circle = " extends ".join(str(one) for one in (*extending, path))
        raise InputError(f"configurations extend each other in a circle ({circle})", "take one `extends` out")
    content = read_settings(path, changes)
    if isinstance(table := _table_of(content), str) and _table_of(read_settings(None, changes)) is None:
        content["protocol"]["table"] = str(path.parent / table)
    base = content.pop("extends", None)
    if base is None:
        return content
    beside = path.parent / f"{base}.yaml"
    extended = beside if beside.exists() else _found(Path(str(base)))
    return _merged(_content(extended, [], (*extending, path)), content)


def _table_of(content: dict[str, Any]) -> Any:
    protocol = content.get("protocol")
    return protocol.get("table") if isinstance(protocol, dict) else None


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        merged[key] = _merged(base[key], value) if both else value
    return merged


def _fold_table(path: Path) -> dict[str, str]:
    """The fold of each speaker."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as lines:
            rows = csv.DictReader(lines)
            missing = {"speaker", "fold"} - set(rows.fieldnames or [])
            pairs = [((row["speaker"] or "").strip(), (row["fold"] or "").strip()) for row in rows if not missing]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read as a CSV table in UTF-8 ({error})") from None
    if missing:
        raise InputError(f"{path}: the column {max(missing)!r} is missing", "write speaker,fold in the first line")
    twice = [name for name, count in Counter(name for name, _ in pairs).items() if count > 1]
    if twice:
        raise InputError(f"{path}: {twice[0]} stands there more than once", "write one row for each speaker")
    return dict(pairs)
