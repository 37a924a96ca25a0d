"""A run's model as a file for others: exported, verified, and saying what it is."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rtser.engine.features import SPECIFICATION
from rtser.engine.model import CONTRACT_VERSION, Metadata
from rtser.errors import InputError
from rtser_train.config import Experiment
from rtser_train.data.bags import read_utterance
from rtser_train.data.experiment_data import utterances
from rtser_train.data.folds import FINAL
from rtser_train.evaluation.evaluate import NAMES
from rtser_train.export.onnx_export import StreamingStep, export, verify
from rtser_train.files import replacing
from rtser_train.networks.heads import TITLES
from rtser_train.run import fold_folder, read_run, read_step

VERIFIED_UTTERANCES = 12


def describe(experiment: Experiment, head: str, measures: Mapping[str, Any], temperature: float) -> Metadata:
    """The metadata of a model of this experiment."""
    cnn = experiment.cnn
    kind = "SegCNN" if cnn.aligned else "plain VGG"
    widths = "-".join(map(str, cnn.widths))
    return Metadata(
        contract=CONTRACT_VERSION,
        name=experiment.name,
        labels=tuple(experiment.emotions),
        features=SPECIFICATION,
        window=experiment.attention.window,
        min_confidence=experiment.min_confidence,
        architecture=f"{kind} {cnn.size} ({widths} channels, F = {cnn.embedding}), {TITLES[head]}",
        corpora=tuple(experiment.sources),
        licence=experiment.licence,
        calibration={
            "method": "temperature, on utterances that were not trained on",
            "temperature": round(temperature, 4),
        },
        measures=dict(measures),
        limits=experiment.limits,
    )


def release(
    run: Path, head: str | None, fold: str | None, roots: Mapping[str, Path], output: Path
) -> tuple[Metadata, float]:
    """Export a fold's model with the run's measures; verified on real utterances.

    Args:
        run: the run's folder; of several seeds the first is exported.
        head: which of its networks on bags; the first if None.
        fold: which fold's model; if None the final one where there is one, or else the first.
        roots: the folder of each corpus.
        output: the file to write.

    Returns:
        its metadata, and the largest difference from torch found.

    Raises:
        InputError: the fold is not trained, it cannot stream, a corpus is missing or the file cannot be written.
        ModelError: the exported file differs from torch.
    """
    experiment = read_run(run)
    head = experiment.head(head)
    name = fold or (FINAL if experiment.protocol.final else "1")
    step = streamable(experiment, fold_folder(run, experiment.seeds[0], name), head)
    metadata = describe(experiment, head, _measures(run, head, name), step.temperature)
    content = export(step, metadata)
    known = [utterance for utterance, _ in utterances(experiment, roots)]
    chosen = known[:: max(1, len(known) // VERIFIED_UTTERANCES)]
    difference = verify(content, step, map(read_utterance, chosen))
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with replacing(output) as part:
            part.write_bytes(content)
    except OSError as error:
        raise InputError(f"{output} cannot be written ({error.strerror}).") from None
    return metadata, difference


def streamable(experiment: Experiment, folder: Path, head: str) -> StreamingStep:
    """The networks of a trained fold, with one of its heads, if they can decide as sound comes in.

    Raises:
        InputError: the fold is not trained, has no such head, or pads with zeros.
    """
    if experiment.attention.padding == "zeros":
        raise InputError(
            "bags padded with zeros (attention.padding) are decided on at their end alone; train with masked to stream."
        )
    return read_step(experiment, folder, head)


def _measures(run: Path, head: str, fold: str) -> dict[str, Any]:
    """The run's measures in short, saying whose they are."""
    evaluation = run / "evaluation.json"
    if not evaluation.is_file():
        return {}
    found = json.loads(evaluation.read_text())
    accuracies = {
        NAMES[system]: {corpus: round(one["UA"], 1) for corpus, one in corpora.items()}
        for system, corpora in found["systems"].items()
        if system == head or system in read_run(run).baselines
    }
    of = f"the models of {found['folds']} test folds"
    if fold == FINAL:
        heard = json.loads((fold_folder(run, read_run(run).seeds[0], FINAL) / "speakers.json").read_text())
        of += f", not on this file, which was trained on {len(heard['train'])} of the speakers"
        if heard["validation"]:
            of += f" and calibrated on the other {len(heard['validation'])}"
    return {"UA in per cent": accuracies, "measured on": of, "protocol": found["protocol"]}
