"""One fold: both stages, calibration, and every system's predictions of the test utterances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from rtser_train.data.bags import Bag
from rtser_train.data.folds import Fold, inner_parts
from rtser_train.evaluation.baseline import BaselineInput
from rtser_train.evaluation.predictions import Prediction, write_predictions
from rtser_train.fitting.calibration import Calibration, calibrate
from rtser_train.fitting.context import FitContext
from rtser_train.fitting.embeddings import Embedded, align, embed
from rtser_train.fitting.joint import fit_jointly
from rtser_train.fitting.saving import save
from rtser_train.fitting.stage1 import fit_cnn
from rtser_train.fitting.stage2 import decide, fit_head, heard_windows, prepared
from rtser_train.networks.bag_network import BagNetwork
from rtser_train.networks.context import Context
from rtser_train.networks.segment_network import SegmentNetwork
from rtser_train.registry import BASELINES
from rtser_train.run import FoldFolder


class Trained(NamedTuple):
    """The result of a fold's training.

    Attributes:
        cnn: the segment network.
        heads: the networks on bags by name.
        calibrations: the calibration of each head.
        embedded: the training utterances as stage 2 saw them; empty if there was no stage 2.
        context: the network between the segment network and the head; None if there is none.
    """

    cnn: SegmentNetwork
    heads: dict[str, BagNetwork]
    calibrations: dict[str, Calibration]
    embedded: list[Embedded]
    context: Context | None = None


def train_fold(fold: Fold, noise: Sequence[Bag], context: FitContext, folder: FoldFolder) -> None:
    """Train a fold and test it; continues an interrupted call. ``step.pt`` is written last."""
    if folder.finished:
        return
    if context.experiment.joint is not None:
        trained = _jointly(fold, noise, context, folder)
    else:
        trained = (_nested if context.experiment.protocol.nested else _held_out)(fold, noise, context, folder)
    if fold.test:
        write_predictions(folder.predictions, _predictions(fold, trained, context), context.experiment.emotions)
    step = {
        "cnn": {name: value.cpu() for name, value in trained.cnn.state_dict().items()},
        "heads": {head: network.state_dict() for head, network in trained.heads.items()},
        "calibrations": {head: [*calibration] for head, calibration in trained.calibrations.items()},
    }
    if trained.context is not None:
        step["context"] = trained.context.state_dict()
    save(step, folder.step)


def _held_out(fold: Fold, noise: Sequence[Bag], context: FitContext, folder: FoldFolder) -> Trained:
    """Train with a validation part, which chooses epochs and calibration; stage 2 uses the CNN's training data."""
    cnn, _ = fit_cnn(fold.train, fold.validation, noise, context, folder.checkpoint("cnn"))
    embedded, validation = (prepared(embed(cnn, part), context.experiment) for part in (fold.train, fold.validation))
    heads: dict[str, BagNetwork] = {}
    calibrations: dict[str, Calibration] = {}
    for head in context.experiment.attention.heads:
        heads[head], _ = fit_head(head, embedded, validation, context, folder.checkpoint(head))
        calibrations[head] = calibrate([heard_windows(heads[head], validation, context)])
    return Trained(cnn, heads, calibrations, embedded)


def _jointly(fold: Fold, noise: Sequence[Bag], context: FitContext, folder: FoldFolder) -> Trained:
    """Train both stages at once; the validation part chooses the epoch and the calibration."""
    cnn, before, head = fit_jointly(fold.train, fold.validation, noise, context, folder.checkpoint("joint"))
    name = context.experiment.head(None)
    versions = [replace(bag, versions=(one,)) for bag in fold.validation for one in bag.versions]
    validation = embed(cnn, versions, before)
    calibrations = {name: calibrate([heard_windows(head, validation, context)])}
    return Trained(cnn, {name: head}, calibrations, [], before)


def _nested(fold: Fold, noise: Sequence[Bag], context: FitContext, folder: FoldFolder) -> Trained:
    """Train with the second cross-validation: stage 2 sees only embeddings of CNNs that never saw the utterance.

    Each inner part is embedded by a CNN that is trained on the others and stopped at its best epoch on that part. The
    fold's own CNN is then trained on all parts, for the number of epochs that is best for the inner CNNs together.
    Their embeddings are brought into its space (`align`). Stage 2 and its calibration follow the same pattern.
    """
    parts = inner_parts(fold.train, context.experiment.protocol, context.seed)
    held = [[bag for bag in fold.train if fold.unit(bag.recording) in part] for part in parts]
    rest = [[bag for bag in fold.train if fold.unit(bag.recording) not in part] for part in parts]
    inner = [
        fit_cnn(seen, unseen, noise, context, folder.checkpoint(f"inner-{number}"))
        for number, (seen, unseen) in enumerate(zip(rest, held, strict=True), start=1)
    ]
    cnn, _ = fit_cnn(
        fold.train, [], noise, context, folder.checkpoint("cnn"), best_epochs([scores for _, scores in inner])
    )
    embedded = [
        prepared(align(embed(network, unseen), embed(network, seen), embed(cnn, seen)), context.experiment)
        for (network, _), seen, unseen in zip(inner, rest, held, strict=True)
    ]
    everyone = [one for part in embedded for one in part]
    heads: dict[str, BagNetwork] = {}
    calibrations: dict[str, Calibration] = {}
    for head in context.experiment.attention.heads:
        inner_heads = [
            fit_head(
                head,
                [one for other in embedded if other is not part for one in other],
                part,
                context,
                folder.checkpoint(f"{head}-inner-{number}"),
            )
            for number, part in enumerate(embedded, start=1)
        ]
        heads[head], _ = fit_head(
            head, everyone, [], context, folder.checkpoint(head), best_epochs([scores for _, scores in inner_heads])
        )
        pairs = zip(inner_heads, embedded, strict=True)
        calibrations[head] = calibrate([heard_windows(network, part, context) for (network, _), part in pairs])
    return Trained(cnn, heads, calibrations, everyone)


def best_epochs(curves: Sequence[Sequence[float]]) -> int:
    """The number of epochs for training without validation: the best one for the mean of the inner folds.

    A fold that validates on one speaker has a best epoch mostly by chance; the mean of the curves is steadier.

    Args:
        curves: validation UA of each inner fold after each epoch; a fold that stopped earlier keeps its best UA.
    """
    longest = max(map(len, curves))
    padded = [[*curve, *[max(curve)] * (longest - len(curve))] for curve in curves]
    return int(np.mean(padded, axis=0).argmax()) + 1


def _predictions(fold: Fold, trained: Trained, context: FitContext) -> list[Prediction]:
    """The predictions of every system for the fold's test utterances."""
    settings = context.experiment
    test = prepared(embed(trained.cnn, fold.test, trained.context), settings)
    window, found = settings.attention.window, {}
    for head, network in trained.heads.items():
        found[head] = trained.calibrations[head].probabilities(*decide(network, test, window))
    data = BaselineInput(fold, trained.embedded, test, len(settings.emotions), context.seed)
    found |= {name: BASELINES.get(name).predict(data) for name in settings.baselines}
    return [
        Prediction.of(system, context.seed, fold.name, bag, row, settings.emotions)
        for system, rows in found.items()
        for bag, row in zip(fold.test, rows.tolist(), strict=True)
    ]
