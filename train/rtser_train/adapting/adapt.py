"""Adapting from beginning to end: folds, the final model, its calibration, the file and its card."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from rtser.engine.contract import Metadata
from rtser_train.adapting.measuring import measure
from rtser_train.adapting.protocol import make_protocol, told
from rtser_train.adapting.recipe import adapted
from rtser_train.adapting.report import Adaptation
from rtser_train.data.bags import Bag, read_samples
from rtser_train.export.onnx_export import export, verify
from rtser_train.export.package import VERIFIED_UTTERANCES, describe
from rtser_train.export.start import Start
from rtser_train.export.step import StreamingStep
from rtser_train.files import replacing
from rtser_train.fitting.calibration import Heard, calibrate
from rtser_train.fitting.context import FitContext
from rtser_train.fitting.embeddings import Embedded, embed, likeliest
from rtser_train.fitting.joint import Networks
from rtser_train.fitting.stage2 import decide, heard_windows


def adapt(
    start: Start, bags: Sequence[Bag], noise: Sequence[Bag], test: Sequence[str], context: FitContext
) -> tuple[Networks, Adaptation]:
    """Adapt a model: in folds, to measure and calibrate it; then on all bags except those of the test speakers.

    Args:
        start: the model to begin with.
        bags: of one corpus, all of emotions that the model knows.
        noise: recordings without speech.
        test: speakers to test on; if empty, the folds test.
        context: settings (`experiment_of`), seed, device.

    Returns:
        the networks of the new model, on the CPU, and the report on them.

    Raises:
        InputError: see `make_protocol`.
    """
    protocol = make_protocol(bags, test, context.seed)
    after: list[int] = []
    heard: list[Heard] = []
    for fold in protocol.folds:
        context.reporter.line(f"fold {fold.name} of {len(protocol.folds)}: {told(fold)}")
        networks = adapted(start.networks, fold.train, noise, context, f"fold-{fold.name}")
        embedded = embed(networks.cnn, fold.test, networks.context)
        after += _decisions(networks, embedded, context)
        heard += _calibrating(networks, embedded, context)
    context.reporter.line(f"the model: {told(protocol.final)}")
    networks = adapted(start.networks, protocol.final.train, noise, context, "model")
    if protocol.final.test:
        after = _decisions(networks, embed(networks.cnn, protocol.final.test, networks.context), context)
    before = _decisions(start.networks, embed(start.networks.cnn, protocol.tested, start.networks.context), context)
    measured = measure(protocol.tested, before, after, context.experiment.emotions, protocol.apart)
    calibration = calibrate(heard, start.calibration.slope) if heard else start.calibration
    return networks, Adaptation(start, context.experiment, protocol, measured, calibration)


def _decisions(networks: Networks, embedded: Sequence[Embedded], context: FitContext) -> list[int]:
    """The class of each bag's last window with enough speech; -1 if no window has enough."""
    return likeliest(decide(networks.head, embedded, context.experiment.attention.window).logits)


def _calibrating(networks: Networks, embedded: Sequence[Embedded], context: FitContext) -> list[Heard]:
    """The outputs for windows of bags; empty if the networks find too little speech."""
    if not any(one.gate.sum() > 0 for one in embedded):
        return []
    heard = heard_windows(networks.head, embedded, context)
    return [heard] if len(heard.labels) else []


def write(networks: Networks, adaptation: Adaptation, output: Path, command: str) -> tuple[Metadata, float]:
    """Write the model file, verified on recordings that it was adapted on, and its card beside it (`card_of`).

    Args:
        networks: those of the new model.
        adaptation: the report on them.
        output: the model file.
        command: the command that the card names.

    Returns:
        the file's metadata, and the largest difference from torch found.

    Raises:
        ModelError: the exported file differs from torch.
        OutputError: a file cannot be written.
    """
    experiment = adaptation.experiment
    floor = experiment.features.energy_floor
    step = StreamingStep(networks.cnn, networks.head, adaptation.calibration, networks.context, floor)
    described = describe(experiment, experiment.head(None), {}, adaptation.calibration)
    metadata = adaptation.metadata(described)
    content = export(step, metadata)
    known = [bag.recording for bag in adaptation.protocol.final.train]
    some = known[:: -(-len(known) // VERIFIED_UTTERANCES)]
    with torch.no_grad():
        difference = verify(content, step.eval(), map(read_samples, some))
    with replacing(output) as part:
        part.write_bytes(content)
    with replacing(card_of(output)) as part:
        part.write_text(adaptation.card(command, output.name), encoding="utf-8")
    return metadata, difference


def card_of(output: Path) -> Path:
    """The path of a model file's card."""
    return output.with_suffix(".md")
