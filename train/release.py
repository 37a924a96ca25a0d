"""A run's model as a file for others: exported, verified, and saying what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rtser.errors import InputError
from rtser.features import SPECIFICATION
from rtser.model import CONTRACT_VERSION, Metadata
from train.attention import TITLES
from train.config import Experiment
from train.crossval import read_run, read_step, utterances
from train.export import export, verify
from train.files import replacing
from train.folds import FINAL

VERIFIED_UTTERANCES = 12


def describe(experiment: Experiment, measures: Mapping[str, Any], temperature: float) -> Metadata:
    """The metadata of a model of this experiment."""
    head = TITLES[experiment.attention.head]
    widths = "-".join(map(str, experiment.cnn.widths))
    return Metadata(
        contract=CONTRACT_VERSION,
        name=experiment.name,
        labels=tuple(experiment.emotions),
        features=SPECIFICATION,
        window=experiment.attention.window,
        min_confidence=experiment.min_confidence,
        architecture=f"SegCNN {experiment.cnn.size} ({widths} channels, F = {experiment.cnn.embedding}), {head}",
        corpora=tuple(experiment.sources),
        licence=experiment.licence,
        calibration={"method": "temperature, on validation speakers", "temperature": round(temperature, 4)},
        measures=dict(measures),
        limits=experiment.limits,
    )


def release(run: Path, fold: str | None, roots: Mapping[str, Path], output: Path) -> tuple[Metadata, float]:
    """Export a fold's model, the final one where there is one, with the run's measures; verified on real utterances.

    Returns:
        its metadata, and the largest difference from torch found.

    Raises:
        InputError: the fold is not trained, a corpus is missing or the file cannot be written.
        ModelError: the exported file differs from torch.
    """
    experiment = read_run(run)
    name = fold or (FINAL if experiment.protocol.final else "1")
    step = read_step(experiment, run / name)
    metadata = describe(experiment, _measures(run, name), step.temperature)
    content = export(step, metadata)
    paths = [utterance.path for utterance, _ in utterances(experiment, roots)]
    difference = verify(content, step, paths[:: max(1, len(paths) // VERIFIED_UTTERANCES)])
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with replacing(output) as part:
            part.write_bytes(content)
    except OSError as error:
        raise InputError(f"{output} cannot be written ({error.strerror}).") from None
    return metadata, difference


def _measures(run: Path, fold: str) -> dict[str, Any]:
    """The run's measures in short, saying whose they are."""
    evaluation = run / "evaluation.json"
    if not evaluation.is_file():
        return {}
    found = json.loads(evaluation.read_text())
    accuracies = {
        system: {corpus: round(one["UA"], 1) for corpus, one in corpora.items()}
        for system, corpora in found["systems"].items()
    }
    of = f"the models of {found['folds']} test folds"
    if fold == FINAL:
        heard = json.loads((run / FINAL / "speakers.json").read_text())
        of += (
            f", not on this file, which was trained on {len(heard['train'])} of the speakers "
            f"and calibrated on the other {len(heard['validation'])}"
        )
    return {"UA in per cent": accuracies, "measured on": of, "protocol": found["protocol"]}
