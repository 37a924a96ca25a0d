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
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
import yaml

from rtser.errors import InputError
from rtser.settings import checked, read_settings
from train.attention import BagNetwork, bag_network, heard
from train.bags import Bag, load_bags
from train.calibrate import temperature
from train.cnn import SegCNN
from train.config import Experiment
from train.corpora import Utterance, noise_recordings, read_corpus
from train.export import StreamingStep
from train.files import replacing
from train.folds import Fold, deal, make_folds
from train.report import Reporter
from train.stages import Embedded, align, embed, fit_attention, fit_cnn, windows

PACKAGES = ("rtser", "torch", "numpy", "onnx", "onnxruntime-gpu", "scikit-learn", "silero-vad", "soundfile", "soxr")
CALIBRATION_DRAWS = 5
"""Windows drawn from each validation utterance."""


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
    wanted = [fold for fold in chosen if not folds or fold.name in folds]
    for fold in wanted:
        check_speakers(fold, run / fold.name)
        if experiment.attention.embeddings == "out-of-fold":
            deal(fold.train, experiment.protocol.inner_folds, experiment.seed)  # fails now rather than after stage 1
    for fold in wanted:
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
        with replacing(settings) as part:
            part.write_text(yaml.safe_dump(experiment.model_dump(mode="json"), sort_keys=False), encoding="utf-8")
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
    return checked(Experiment, read_settings(settings, []), str(settings))


def utterances(
    experiment: Experiment, roots: Mapping[str, Path], reporter: Reporter | None = None
) -> list[tuple[Utterance, int]]:
    """The experiment's utterances with their class indices; what is left out is reported.

    Raises:
        InputError: a corpus has no utterance of the experiment's emotions, or an emotion has none in any corpus.
    """
    labelled: list[tuple[Utterance, int]] = []
    left_out: Counter[str] = Counter()
    for name in experiment.corpora:
        counts: dict[tuple[str, int], int] = defaultdict(int)
        found = len(labelled)
        for utterance in read_corpus(name, roots[name]):
            label = experiment.label(utterance.emotion)
            if label is None:
                left_out[f"{name} {utterance.emotion}"] += 1
                continue
            counts[utterance.speaker, label] += 1
            if experiment.limit is None or counts[utterance.speaker, label] <= experiment.limit:
                labelled.append((utterance, label))
        if len(labelled) == found:
            raise InputError(f"corpus {name} has no utterance of {', '.join(experiment.emotions)}; merge: can rename.")
    missing = set(range(len(experiment.emotions))) - {label for _, label in labelled}
    if missing:
        raise InputError(f"no corpus has an utterance of {experiment.emotions[min(missing)]}; leave it out.")
    if reporter and left_out:
        reporter.line("left out: " + ", ".join(f"{count} of {name}" for name, count in sorted(left_out.items())))
    return labelled


def load(experiment: Experiment, roots: Mapping[str, Path], reporter: Reporter) -> tuple[list[Bag], list[Bag]]:
    """The experiment's bags, and those of its noise recordings."""
    pairs = utterances(experiment, roots, reporter)
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


def check_speakers(fold: Fold, folder: Path) -> None:
    """Note who is in which part of a fold, with how many utterances; or check that an earlier call noted the same.

    Raises:
        InputError: the corpora have changed since, so that a checkpoint may have heard speakers who are now tested on.
    """
    parts = {"train": fold.train, "validation": fold.validation, "test": fold.test}
    counts = {name: dict(sorted(Counter(bag.utterance.group for bag in bags).items())) for name, bags in parts.items()}
    noted = folder / "speakers.json"
    if noted.exists():
        if json.loads(noted.read_text()) != counts:
            raise InputError(f"{folder} was trained on other recordings; name another folder with --output.")
        return
    folder.mkdir(exist_ok=True)
    with replacing(noted) as part:
        part.write_text(json.dumps(counts, indent=1), encoding="utf-8")


def train_fold(fold: Fold, noise: Sequence[Bag], experiment: Experiment, folder: Path, reporter: Reporter) -> None:
    """Both stages and the calibration of one fold."""
    reporter.line(fold.describe())
    if (folder / "step.pt").exists():
        reporter.line(f"fold {fold.name} is done")
        return
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
    with replacing(folder / "step.pt") as part:
        torch.save(step, part)


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


def fit_temperature(attention: BagNetwork, validation: Sequence[Embedded], experiment: Experiment) -> float:
    """Calibrate on windows of all lengths of the validation speakers that hold enough speech to be decided on."""
    spoken = [one for one in validation if one.gate.sum() > 0]
    if not spoken:
        raise InputError("the speech head finds no speech in the validation utterances; train longer or check them.")
    rng = np.random.default_rng(experiment.seed)
    draws = [windows(spoken, experiment.attention.window, rng) for _ in range(CALIBRATION_DRAWS)]
    embeddings, gate, labels = (torch.cat(parts) for parts in zip(*draws, strict=True))
    enough = heard(gate)
    with torch.no_grad():
        return temperature(attention(embeddings[enough], gate[enough]), labels[enough])


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
    attention = bag_network(experiment.attention.head, settings.embedding, kinds, experiment.attention.features)
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
