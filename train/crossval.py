"""A whole experiment: corpora to bags, folds by speaker, two stages each, and the run's folder.

RUN/experiment.yaml     the configuration
RUN/environment.json    versions and machine
RUN/FOLD/speakers.json  who is in training, validation and test
RUN/FOLD/*.pt, *.csv    checkpoint and history of each network
RUN/FOLD/step.pt        what an export needs: weights and temperature
"""

from __future__ import annotations

import json
import platform
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import yaml

from rtser.errors import InputError
from train.attention import FeatureAttention
from train.bags import Bag, load_bags
from train.calibrate import temperature
from train.cnn import SegCNN
from train.config import Experiment, check_experiment
from train.corpora import Utterance, noise_recordings, read_corpus
from train.export import StreamingStep
from train.folds import Fold, deal, make_folds, speakers
from train.report import Reporter
from train.stages import Embedded, align, embed, fit_attention, fit_cnn, windows

PACKAGES = ("rtser", "torch", "numpy", "onnx", "onnxruntime-gpu", "scikit-learn", "silero-vad", "soundfile", "soxr")


def train(
    experiment: Experiment, roots: Mapping[str, Path], run: Path, folds: Collection[str], reporter: Reporter
) -> None:
    """Train an experiment's folds, going on where an earlier call was broken off.

    Args:
        roots: the folder of each corpus and of the noise recordings, by name.
        run: the run's folder.
        folds: names of those to train; all if empty.

    Raises:
        InputError: a corpus is missing or unsuitable, a fold does not exist, or `run` holds another experiment.
    """
    open_run(experiment, run)
    bags, noise = load(experiment, roots, reporter)
    chosen = make_folds(bags, experiment.protocol, experiment.seed)
    unknown = set(folds) - {fold.name for fold in chosen}
    if unknown:
        raise InputError(f"there is no fold {min(unknown)}; there are {', '.join(fold.name for fold in chosen)}.")
    for fold in chosen:
        if not folds or fold.name in folds:
            train_fold(fold, noise, experiment, run / fold.name, reporter)


def open_run(experiment: Experiment, run: Path) -> None:
    """Make the run's folder, or check that it holds this very experiment."""
    settings = run / "experiment.yaml"
    if settings.exists():
        if read_run(run) != experiment:
            raise InputError(f"{run} holds a run with other settings; name another folder with --output.")
        return
    try:
        run.mkdir(parents=True, exist_ok=True)
        settings.write_text(yaml.safe_dump(experiment.model_dump(mode="json"), sort_keys=False))
    except OSError as error:
        raise InputError(f"{run} cannot be written ({error.strerror}); name another folder with --output.") from None
    environment = {"python": platform.python_version(), "machine": platform.machine(), "system": platform.system()}
    environment |= {name: version(name) for name in PACKAGES if _installed(name)}
    (run / "environment.json").write_text(json.dumps(environment, indent=2))


def read_run(run: Path) -> Experiment:
    """The experiment of a run's folder."""
    settings = run / "experiment.yaml"
    if not settings.is_file():
        raise InputError(f"{run} is no run's folder (it has no experiment.yaml); rtser train makes one.")
    return check_experiment(yaml.safe_load(settings.read_text()), str(settings))


def utterances(experiment: Experiment, roots: Mapping[str, Path]) -> list[tuple[Utterance, int]]:
    """The experiment's utterances with their class indices."""
    labelled = []
    for name in experiment.corpora:
        counts: dict[tuple[str, int], int] = defaultdict(int)
        found = [(one, experiment.label(one.emotion)) for one in read_corpus(name, roots[name])]
        for utterance, label in found:
            if label is None:
                continue
            counts[utterance.speaker, label] += 1
            if experiment.limit is None or counts[utterance.speaker, label] <= experiment.limit:
                labelled.append((utterance, label))
    return labelled


def load(experiment: Experiment, roots: Mapping[str, Path], reporter: Reporter) -> tuple[list[Bag], list[Bag]]:
    """The experiment's bags, and those of its noise recordings."""
    pairs = utterances(experiment, roots)
    if experiment.noise:
        pairs += [(one, -1) for one in noise_recordings(experiment.noise, roots[experiment.noise])]
    bags, short = [], 0
    with reporter.job("features", len(pairs)) as job:
        for bag in load_bags(pairs):
            job.step()
            if bag is None:
                short += 1
            else:
                bags.append(bag)
    if short:
        reporter.line(f"left out: {short} recordings shorter than a segment (0.335 s)")
    return [bag for bag in bags if bag.label >= 0], [bag for bag in bags if bag.label < 0]


def train_fold(fold: Fold, noise: Sequence[Bag], experiment: Experiment, folder: Path, reporter: Reporter) -> None:
    """Both stages and the calibration of one fold."""
    reporter.line(fold.describe())
    if (folder / "step.pt").exists():
        reporter.line(f"fold {fold.name} is done")
        return
    folder.mkdir(exist_ok=True)
    parts = {"train": fold.train, "validation": fold.validation, "test": fold.test}
    (folder / "speakers.json").write_text(json.dumps({name: sorted(speakers(part)) for name, part in parts.items()}))
    seed = experiment.seed
    cnn = fit_cnn(fold.train, fold.validation, noise, experiment, seed, folder / "cnn.pt", reporter)
    if experiment.attention.embeddings == "in-fold":
        embedded = embed(cnn, fold.train)
    else:
        embedded = embed_out_of_fold(fold, cnn, noise, experiment, folder, reporter)
    validation = embed(cnn, fold.validation)
    attention = fit_attention(embedded, validation, experiment, seed, folder / "attention.pt", reporter)
    scale = fit_temperature(attention, validation, experiment)
    step = {"cnn": cnn.state_dict(), "attention": attention.state_dict(), "temperature": scale}
    torch.save(step, folder / "step.part")
    (folder / "step.part").replace(folder / "step.pt")


def embed_out_of_fold(
    fold: Fold, cnn: SegCNN, noise: Sequence[Bag], experiment: Experiment, folder: Path, reporter: Reporter
) -> list[Embedded]:
    """The training utterances of a fold, each embedded by an inner CNN that never heard its speaker."""
    held_out = []
    seed = experiment.seed
    for number, group in enumerate(deal(fold.train, experiment.protocol.inner_folds, seed), start=1):
        seen = [bag for bag in fold.train if bag.utterance.group not in group]
        unseen = [bag for bag in fold.train if bag.utterance.group in group]
        inner = fit_cnn(seen, fold.validation, noise, experiment, seed, folder / f"inner_{number}.pt", reporter)
        held_out += align(embed(inner, unseen), embed(inner, seen), embed(cnn, seen))
    return held_out


def fit_temperature(attention: FeatureAttention, validation: Sequence[Embedded], experiment: Experiment) -> float:
    """Calibrate on windows of all lengths of the validation speakers."""
    heard = [one for one in validation if one.gate.sum() > 0]
    window = experiment.attention.window
    with torch.no_grad():
        embeddings, gate, labels = windows(heard, window, np.random.default_rng(experiment.seed))
        return temperature(attention(embeddings, gate), labels)


def read_step(experiment: Experiment, folder: Path) -> StreamingStep:
    """The networks of a trained fold.

    Raises:
        InputError: the fold has not been trained to its end.
    """
    if not (folder / "step.pt").is_file():
        raise InputError(f"{folder} is not trained to its end; run rtser train again to go on.")
    saved = torch.load(folder / "step.pt")
    kinds, settings = len(experiment.emotions), experiment.cnn
    cnn = SegCNN(kinds, settings.widths, settings.embedding, settings.dropout)
    attention = FeatureAttention(settings.embedding, kinds, experiment.attention.features)
    cnn.load_state_dict(saved["cnn"])
    attention.load_state_dict(saved["attention"])
    step = StreamingStep(cnn, attention, saved["temperature"])
    return step.eval()


def _installed(package: str) -> bool:
    try:
        version(package)
    except ModuleNotFoundError:
        return False
    return True
