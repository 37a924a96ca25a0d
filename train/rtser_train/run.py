"""A run's folder, which holds all that made it and all that came of it.

RUN/experiment.yaml                  the configuration
RUN/environment.json                 versions and machine
RUN/seed-1/fold-2/speakers.json      who is in training, validation and test
RUN/seed-1/fold-2/*.pt, *.csv        checkpoint and history of each network
RUN/seed-1/fold-2/tensorboard/       the same histories for TensorBoard
RUN/seed-1/fold-2/step.pt            what an export needs: weights and temperatures
RUN/seed-1/fold-2/predictions.csv    what each system says of each test utterance
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
import yaml

from rtser.errors import InputError
from rtser.settings import checked, read_settings
from rtser_train.config import Experiment
from rtser_train.data.folds import Fold, itself
from rtser_train.export.onnx_export import StreamingStep
from rtser_train.files import replacing
from rtser_train.fitting.stage1 import segment_network
from rtser_train.fitting.stage2 import head_network

PACKAGES = (
    *("rtser", "torch", "numpy", "scipy", "scikit-learn", "onnx", "onnxruntime-gpu"),
    *("silero-vad", "soundfile", "soxr", "opensmile"),
)


def fold_folder(run: Path, seed: int, fold: str) -> Path:
    """Where a fold of a seed lies."""
    return run / f"seed-{seed}" / f"fold-{fold}"


def finished(run: Path, seed: int) -> list[str]:
    """Names of the folds of a seed that are trained to their end."""
    names = [step.parent.name.removeprefix("fold-") for step in (run / f"seed-{seed}").glob("fold-*/step.pt")]
    return sorted(names, key=lambda name: (len(name), name))


def check_run(experiment: Experiment, run: Path) -> None:
    """Raise InputError if the run's folder holds another experiment."""
    if (run / "experiment.yaml").exists() and read_run(run) != experiment:
        raise InputError(f"{run} holds a run with other settings; name another folder with --output.")


def open_run(experiment: Experiment, run: Path) -> None:
    """Make the run's folder, if it is not there yet."""
    settings = run / "experiment.yaml"
    if settings.exists():
        return
    try:
        run.mkdir(parents=True, exist_ok=True)
        with replacing(settings) as part:
            part.write_text(yaml.safe_dump(experiment.model_dump(mode="json"), sort_keys=False), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{run} cannot be written ({error.strerror}); name another folder with --output.") from None
    environment = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    environment["cores"] = str(os.cpu_count())
    environment |= {name: version(name) for name in PACKAGES if _installed(name)}
    (run / "environment.json").write_text(json.dumps(environment, indent=2))


def read_run(run: Path) -> Experiment:
    """The experiment of a run's folder."""
    settings = run / "experiment.yaml"
    if not settings.is_file():
        raise InputError(f"{run} is no run's folder (it has no experiment.yaml); rtser train makes one.")
    return checked(Experiment, read_settings(settings, []), str(settings))


def check_speakers(fold: Fold, folder: Path) -> None:
    """Note who is in which part of a fold, how many utterances and which; or check that an earlier call noted the same.

    Raises:
        InputError: the corpora have changed since, so that a checkpoint may have heard speakers who are now tested on.
    """
    parts = {"train": fold.train, "validation": fold.validation, "test": fold.test}
    counts: dict[str, Any] = {
        name: dict(sorted(Counter(bag.utterance.group for bag in bags).items())) for name, bags in parts.items()
    }
    utterances = sorted((name, itself(bag.utterance), bag.label) for name, bags in parts.items() for bag in bags)
    counts["utterances"] = hashlib.sha256(json.dumps(utterances).encode()).hexdigest()
    noted = folder / "speakers.json"
    if noted.exists():
        if json.loads(noted.read_text()) != counts:
            raise InputError(f"{folder} was trained on other recordings; name another folder with --output.")
        return
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(noted) as part:
        part.write_text(json.dumps(counts, indent=1), encoding="utf-8")


def read_step(experiment: Experiment, folder: Path, head: str) -> StreamingStep:
    """The networks of a trained fold, with one of its heads.

    Raises:
        InputError: the fold has not been trained to its end, or has no such head.
    """
    if not (folder / "step.pt").is_file():
        trained = ", ".join(finished(folder.parents[1], int(folder.parent.name.removeprefix("seed-")))) or "none is"
        raise InputError(f"{folder} is not trained to its end (of its seed's folds: {trained}); rtser train goes on.")
    saved = torch.load(folder / "step.pt", map_location="cpu")
    if head not in saved["heads"]:
        raise InputError(f"{folder} has no head {head}; it has {', '.join(saved['heads'])}.")
    cnn, network = segment_network(experiment), head_network(experiment, head)
    cnn.load_state_dict(saved["cnn"])
    network.load_state_dict(saved["heads"][head])
    step = StreamingStep(cnn, network, saved["temperatures"][head])
    return step.eval()


def _installed(package: str) -> bool:
    try:
        version(package)
    except ModuleNotFoundError:
        return False
    return True
