"""The configuration of one experiment: every setting with its unit, default and bounds."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, model_validator

from rtser.errors import InputError
from rtser.settings import Settings, checked, leaves, read_settings
from rtser_train.registry import BASELINES
from rtser_train.settings import (
    AttentionSettings,
    Augment,
    CnnSettings,
    Count,
    Features,
    Joint,
    Protocol,
    Rate,
    Sampling,
)

_PACKAGED = Path(__file__).parent / "configs"
CONFIGS = _PACKAGED if _PACKAGED.is_dir() else Path(__file__).parents[2] / "configs" / "train"
"""Folder of the shipped configurations: inside an installed package, or in a checkout."""

Seed = Annotated[int, Field(ge=0, lt=2**32)]

BaselineName = Annotated[str, AfterValidator(BASELINES.check)]

FINAL = "final"
"""Name of the fold without test speakers. Its model ships."""


class Experiment(Settings):
    """One experiment, as a file in configs/train."""

    name: str
    seeds: list[Seed] = Field([1], min_length=1, description="every fold is trained and tested with each seed")
    emotions: Annotated[list[str], Field(min_length=2)]
    merge: dict[str, str] = Field({}, description="corpus emotion -> one of `emotions`; all others are left out")
    corpora: Annotated[list[str], Field(min_length=1)]
    noise: str | None = Field(None, description="folder of recordings without speech")
    noise_held_out: bool = Field(False, description="leave out the third that `rtser robustness` measures with")
    features: Features = Features()
    sampling: Sampling = Sampling()
    licence: str = "unstated"
    limits: str = Field("", description="limits of the model, in words")
    label_threshold: Rate = Field(0.4, description="a decision below it names no emotion")
    limit: Count | None = Field(None, description="most utterances of each speaker and emotion")
    protocol: Protocol = Protocol()
    cnn: CnnSettings = CnnSettings()
    attention: AttentionSettings = AttentionSettings()
    joint: Joint | None = Field(
        None, description="train both stages at once; null: one after the other, as in the paper"
    )
    baselines: list[BaselineName] = Field(
        [], description=f"other systems measured on the same folds; some of {', '.join(BASELINES.names)}"
    )
    augment: Augment = Augment()

    @model_validator(mode="after")
    def _names_are_sound(self) -> Experiment:
        for names in (self.emotions, self.corpora, self.seeds, self.attention.heads, self.baselines):
            if len(set(names)) < len(names):
                raise ValueError(f"{', '.join(map(str, names))}: a name is listed twice")
        if self.augment.noise_snr_db[0] > self.augment.noise_snr_db[1]:
            raise ValueError("augment.noise_snr_db: the lower bound comes first")
        for source, target in self.merge.items():
            if target not in self.emotions:
                raise ValueError(f"merge: {source} -> {target}, but {target} is not among the emotions")
        if self.joint is not None:
            self._can_be_joint()
        return self

    def _can_be_joint(self) -> None:
        """Raise ValueError for a setting that needs two stages."""
        if self.protocol.nested:
            raise ValueError("joint trains with a validation part (set protocol.nested to false)")
        if self.cnn.start is not None:
            raise ValueError("joint begins with new weights (leave cnn.start out)")
        if len(self.attention.heads) > 1 or self.attention.padding == "zeros":
            raise ValueError("joint trains one head, with attention.padding: masked")
        if unfit := [name for name in self.baselines if name.startswith("cnn-")]:
            raise ValueError(f"joint keeps no embeddings, which the baseline {unfit[0]} is trained on")

    @property
    def sources(self) -> list[str]:
        """Names of everything that must be found: the corpora and the noise recordings."""
        return [*self.corpora, *([self.noise] if self.noise else [])]

    @property
    def held_out(self) -> list[str]:
        """The noise recordings' name, if a third of them is left out of training."""
        return [self.noise] if self.noise and self.noise_held_out else []

    def head(self, name: str | None) -> str:
        """One of the experiment's heads, by default the first; raises InputError if there is none of this name."""
        heads: list[str] = [*self.attention.heads]
        if name is not None and name not in heads:
            raise InputError(f"there is no head {name} in {self.name}", f"it has {', '.join(heads)}")
        return name or heads[0]

    def label(self, corpus: str, emotion: str | None) -> int | None:
        """Class index of a corpus's emotion; -1 if it only trains auxiliary outputs, None if it is left out."""
        name = self.merge.get(emotion or "", emotion)
        auxiliary = self.joint is not None and self.joint.auxiliary_loss > 0
        if name in self.emotions and not (self.joint and corpus in self.joint.auxiliary_only):
            return self.emotions.index(name)
        return -1 if auxiliary and emotion else None


def load_experiment(path: Path, changes: list[str] | None = None) -> Experiment:
    """Read and check a configuration, and all that it names: the one it extends, and a table of folds.

    Args:
        path: a YAML file, or the name of a shipped configuration (``debug``). A table of folds
            in the file is relative to its folder.
        changes: settings that replace the file's, such as ``cnn.fit.epochs=3``. A table of folds in them is relative
            to the current folder. `cnn.start` is always relative to the current folder.

    Raises:
        InputError: the file is missing or is not YAML, extends itself, has an unknown key or a value out of bounds.
    """
    path = _found(path)
    changes = changes or []
    places = {name: f"--set {name}" for one in changes for name, _ in leaves(read_settings(None, [one]))}
    experiment = checked(Experiment, _content(path, changes), f"configuration {path}", places)
    if experiment.cnn.start is not None:
        experiment = experiment.model_copy(update={"cnn": _with_start(experiment.cnn, experiment.cnn.start)})
    table = experiment.protocol.table
    if not isinstance(table, Path):
        return experiment
    folds = _fold_table(table)
    return experiment.model_copy(update={"protocol": experiment.protocol.model_copy(update={"table": folds})})


def _with_start(cnn: CnnSettings, start: Path) -> CnnSettings:
    """The settings with the absolute path and the SHA-256 of the model file of `cnn.start`."""
    try:
        sha256 = hashlib.sha256(start.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"cnn.start: {start} cannot be read ({error.strerror})", "name a model file") from None
    if cnn.start_sha256 not in (None, sha256):
        raise InputError(f"cnn.start: {start} is not the file of cnn.start_sha256", "leave cnn.start_sha256 out")
    return cnn.model_copy(update={"start": start.resolve(), "start_sha256": sha256})


def _found(path: Path) -> Path:
    if path.is_file():
        return path
    shipped = CONFIGS / f"{str(path).removesuffix('.yaml')}.yaml"
    if not shipped.exists():
        names = ", ".join(sorted(file.stem for file in CONFIGS.glob("*.yaml")))
        raise InputError(f"configuration {path} does not exist", f"shipped ones are {names}")
    return shipped


def _content(path: Path, changes: list[str], extending: tuple[Path, ...] = ()) -> dict[str, Any]:
    """A file's settings over those of the file that it `extends`, which is in the same folder or is shipped.

    Args:
        path: the file.
        changes: settings that replace the file's.
        extending: the chain of files that led here; each extends the next.
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
    """Settings over others, group by group. OmegaConf merges too, but the checks with their messages are pydantic's."""
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
        raise InputError(f"{path}: {twice[0]} is listed more than once", "write one row for each speaker")
    return dict(pairs)
