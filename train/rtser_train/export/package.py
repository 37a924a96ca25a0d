"""A run's model as a file for others: exported, verified and described."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import torch

from rtser.audio.file import read_audio, sample_path
from rtser.engine.contract import Metadata
from rtser.errors import InputError, ModelError
from rtser.models import load_bytes, read_model
from rtser.voice import NEUTRAL
from rtser_train.config import FINAL, Experiment
from rtser_train.data.bags import read_samples
from rtser_train.data.corpora import UNKNOWN_SPEAKER
from rtser_train.data.experiment_data import labelled_recordings
from rtser_train.export.baseline import with_baseline
from rtser_train.export.load import check_conversion, convert, load_step
from rtser_train.export.onnx_export import export, verify
from rtser_train.export.start import Start, read_start
from rtser_train.export.step import StreamingStep
from rtser_train.files import replacing
from rtser_train.fitting.calibration import REFERENCE, Calibration
from rtser_train.fitting.stage1 import segment_network
from rtser_train.fitting.stage2 import head_network
from rtser_train.networks.context import Context
from rtser_train.registry import HEADS, SEGMENT_NETWORKS, system_title
from rtser_train.results import Evaluation
from rtser_train.run import FoldFolder, Run

VERIFIED_UTTERANCES = 12


def export_run(
    run: Run, head: str | None, fold: str | None, roots: Mapping[str, Path], output: Path
) -> tuple[Metadata, float]:
    """Export a fold's model with the run's metrics; verified on real utterances.

    Args:
        run: the run; of several seeds the first is exported.
        head: which of its networks on bags; the first if None.
        fold: which fold's model; if None, the final one if the experiment has it, else the first finished one.
        roots: the folder of each corpus.
        output: the file to write.

    The final model's file has the average voice of its validation speakers (`baseline`).

    Returns:
        its metadata, and the largest difference from torch found.

    Raises:
        InputError: the fold is not trained, it cannot stream, or a corpus is missing or cannot be read.
        ModelError: the exported file differs from torch.
        OutputError: the file cannot be written.
    """
    head = run.experiment.head(head)
    chosen = _chosen(run, fold)
    step = streamable(run, chosen, head)
    metadata = describe(run.experiment, head, _metrics(run, head, chosen), step.calibration)
    content = export(step, metadata)
    labelled = labelled_recordings(run.experiment, roots)
    known = [recording for recording, _ in labelled]
    difference = verify(content, step, map(read_samples, known[:: max(1, len(known) // VERIFIED_UTTERANCES)]))
    if chosen.fold == FINAL:
        validation = chosen.parts().validation
        neutral = [one for one, label in labelled if label == _neutral(metadata) and one.group in validation]
        content = with_baseline(content, neutral)
    with replacing(output) as part:
        part.write_bytes(content)
    return load_bytes(content, provider="cpu").metadata, difference


def _named(speakers: Iterable[str]) -> int:
    """How many speakers (``corpus/speaker``) have a name."""
    return sum(one.rpartition("/")[2] != UNKNOWN_SPEAKER for one in speakers)


def _neutral(metadata: Metadata) -> int | None:
    """The class index of neutral speech; None if the model has no such class."""
    return metadata.labels.index(NEUTRAL) if NEUTRAL in metadata.labels else None


def convert_file(path: Path, output: Path) -> tuple[Metadata, float]:
    """Write a model file of contract 1 as one of this contract, with the same weights.

    Returns:
        its metadata, and the largest difference from torch found on the bundled sample.

    Raises:
        ModelError: it cannot be read or is not such a file.
        OutputError: the new file cannot be written.
    """
    old = read_model(path)
    try:
        content = convert(old)
        step, metadata = load_step(content)
        sample = read_audio(sample_path())
        check_conversion(old, step, sample)
        difference = verify(content, step, [sample])
    except ModelError as error:
        raise ModelError(f"{path}: {error.problem}", error.advice) from None
    with replacing(output) as part:
        part.write_bytes(content)
    return metadata, difference


def export_fold(run: Run, fold: FoldFolder, head: str) -> Path:
    """Export a fold's model into its own folder, without metrics; the file (FOLD/HEAD.onnx).

    Raises:
        InputError: the fold is not trained or cannot stream.
        OutputError: the file cannot be written.
    """
    step, path = streamable(run, fold, head), fold.model(head)
    with replacing(path) as part:
        part.write_bytes(export(step, describe(run.experiment, head, {}, step.calibration)))
    return path


def describe(experiment: Experiment, head: str, metrics: Mapping[str, Any], calibration: Calibration) -> Metadata:
    """The metadata of a model of this experiment."""
    cnn = experiment.cnn
    widths = "-".join(map(str, cnn.widths))
    context = experiment.joint.context if experiment.joint else 0
    network = f"{SEGMENT_NETWORKS.title(cnn.network)} {cnn.size} ({widths} channels, F = {cnn.embedding})"
    if context:
        network += f", recurrent context of {context}"
    described = Metadata(
        name=experiment.name,
        labels=tuple(experiment.emotions),
        states=(),
        window=experiment.attention.window,
        label_threshold=experiment.label_threshold,
        architecture=f"{network}, {HEADS.title(head)}",
        networks={
            "segment_network": cnn.network,
            "widths": list(cnn.widths),
            "embedding": cnn.embedding,
            "level": cnn.level,
            "head": head,
            "features": experiment.attention.features,
            "context": context,
            "energy_floor": experiment.features.energy_floor,
        },
        corpora=tuple(experiment.sources),
        held_out=tuple(experiment.held_out),
        licence=experiment.licence,
        calibration=calibrated(calibration, "utterances that were not trained on"),
        measures=dict(metrics),
        limits=experiment.limits,
    )
    return _begun_with(described, read_start(cnn.start)) if cnn.start else described


def _begun_with(described: Metadata, start: Start) -> Metadata:
    """The metadata of a model whose segment network began with another model's."""
    its = start.metadata
    heard = set(its.corpora) - set(its.held_out)
    return described.model_copy(
        update={
            "corpora": tuple(dict.fromkeys([*its.corpora, *described.corpora])),
            "held_out": tuple(name for name in described.held_out if name not in heard),
            "licence": f"{described.licence}; what it began with: {its.licence}",
            "measures": described.measures | {"began with": {"name": its.name, "sha256": start.sha256}},
        }
    )


def calibrated(calibration: Calibration, on: str) -> dict[str, Any]:
    """The calibration as metadata; `on` says what it was fitted to."""
    method = f"temperature by the amount of speech, on {on}"
    return {"method": method, **calibration._asdict(), "segments": REFERENCE}


def streamable(run: Run, fold: FoldFolder, head: str) -> StreamingStep:
    """The networks of a trained fold, with one of its heads, if they can decide as sound comes in.

    Raises:
        InputError: the fold is not trained, has no such head, or pads with zeros.
    """
    if run.experiment.attention.padding == "zeros":
        raise InputError(
            "a model trained with attention.padding: zeros cannot stream (it decides once, at an utterance's end)",
            "train with attention.padding: masked",
        )
    return read_step(run, fold, head)


def read_step(run: Run, fold: FoldFolder, head: str) -> StreamingStep:
    """The networks of a trained fold, with one of its heads, in evaluation mode on the CPU.

    Raises:
        InputError: the fold has not been trained to its end, or has no such head.
    """
    if not fold.finished:
        trained = ", ".join(one.fold for one in run.finished(fold.seed)) or "none"
        raise InputError(
            f"{fold.path} is not trained to its end (trained folds of seed {fold.seed}: {trained})",
            "run rtser train again to go on",
        )
    saved = torch.load(fold.step, map_location="cpu")
    if head not in saved["heads"]:
        raise InputError(f"{fold.path} has no head {head}", f"it has {', '.join(saved['heads'])}")
    cnn, network = segment_network(run.experiment), head_network(run.experiment, head)
    cnn.load_state_dict(saved["cnn"])
    network.load_state_dict(saved["heads"][head])
    joint, context = run.experiment.joint, None
    if joint is not None and joint.context:
        context = Context(run.experiment.cnn.embedding, joint.context)
        context.load_state_dict(saved["context"])
    floor = run.experiment.features.energy_floor
    return StreamingStep(cnn, network, Calibration(*saved["calibrations"][head]), context, floor).eval()


def _chosen(run: Run, fold: str | None) -> FoldFolder:
    """The fold of this name, or the one that stands for the run."""
    seed = run.experiment.seeds[0]
    if fold is not None or run.experiment.protocol.final:
        return run.fold(seed, fold or FINAL)
    finished = run.finished(seed)
    if not finished:
        raise InputError(f"{run.folder} has no trained fold", "run rtser train again to go on")
    return finished[0]


def _metrics(run: Run, head: str, fold: FoldFolder) -> dict[str, Any]:
    """The run's main metrics for the file's metadata, and which models they are of; empty before an evaluation."""
    if not run.evaluation.is_file():
        return {}
    found = Evaluation.read(run.evaluation)
    accuracies = {
        system_title(name): {corpus: round(result.ua, 1) for corpus, result in system.corpora.items()}
        | ({"mean": round(system.mean.ua, 1)} if system.mean else {})
        for name, system in found.systems.items()
        if name == head or name in run.experiment.baselines
    }
    of = f"the models of {found.folds} test folds"
    if fold.fold == FINAL:
        parts = fold.parts()
        of += f", not on this file, which was trained on {_named(parts.train)} of the speakers"
        if parts.validation:
            of += f" and calibrated on the other {len(parts.validation)}"
    return {"UA in per cent": accuracies, "measured on": of, "protocol": found.protocol}
