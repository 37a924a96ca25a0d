"""How a model is adapted. All of it is fixed: nothing is chosen on the recordings that it is adapted on or tested on.

The values were chosen on speakers of BanglaSER and CREMA-D (docs/results.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

import torch
from torch import nn

from rtser.settings import checked
from rtser_train.config import Experiment
from rtser_train.data.bags import Bag
from rtser_train.export.start import Start
from rtser_train.fitting.context import FitContext
from rtser_train.fitting.joint import Networks, fit_jointly
from rtser_train.settings import ENERGY_FLOOR

Module = TypeVar("Module", bound=nn.Module)

EPOCHS = 20
LEARNING_RATE = 1e-3
SHARE = 0.75
"""How far the weights go from those of the start (0) to the fitted ones (1)."""
BATCH = 16
LEAST_STEPS = 10
"""Least number of steps in an epoch. If there are few recordings, each is drawn more than once."""
ABSENT = 0.25
"""Weight in the softmax of an emotion that the recordings lack. A small weight unlearns it more slowly."""


def experiment_of(
    start: Start, name: str, corpus: str, merge: Mapping[str, str], noise: str | None, epochs: int = EPOCHS
) -> Experiment:
    """The settings of an adaptation: those of the start's file, and the fixed ones of this module.

    Args:
        start: the model to begin with.
        name: name of the new model.
        corpus: name of the recordings.
        merge: emotion of the corpus -> emotion of the model.
        noise: name of the recordings without speech; None: there are none.
        epochs: number of epochs.

    Raises:
        InputError: `merge` names an emotion that the model lacks, or the model knows one emotion only.
    """
    about, networks = start.metadata, start.metadata.networks
    fit = {
        "epochs": epochs,
        "batch": BATCH,
        "learning_rate": LEARNING_RATE,
        "schedule": "one-cycle",
        "average": 0.99,
        "weight_decay": 0.0,
    }
    return checked(
        Experiment,
        {
            "name": name,
            "emotions": list(about.labels),
            "merge": dict(merge),
            "corpora": [corpus],
            "noise": noise,
            "protocol": {"nested": False},
            "features": {"energy_floor": networks.get("energy_floor", ENERGY_FLOOR)},
            "licence": about.licence,
            "limits": about.limits,
            "label_threshold": about.label_threshold,
            "cnn": {
                "network": networks["segment_network"],
                "size": start.size,
                "embedding": networks["embedding"],
                "level": networks.get("level", False),
                "dropout": 0.15,
                "margin": 6,
                "noise_share": 0.0,
                "speech_loss": 0.0,
            },
            "attention": {
                "heads": [networks["head"]],
                "features": networks["features"],
                "window": about.window,
                "dropout": 0.3,
            },
            "joint": {
                "context": networks.get("context", 0),
                "segments": 32,
                "auxiliary_loss": 0.0,
                "absent": ABSENT,
                "fit": fit,
            },
        },
        "adaptation",
    )


def adapted(start: Networks, train: Sequence[Bag], noise: Sequence[Bag], context: FitContext, name: str) -> Networks:
    """Fit trained networks to some bags; the result is on the CPU, in evaluation mode.

    Args:
        start: the networks to begin with; they are not changed.
        train: the bags to adapt on.
        noise: recordings without speech.
        context: settings, seed, device.
        name: name of the job in the reports.
    """
    settings = context.experiment
    assert settings.joint is not None
    draws = max(len(train), LEAST_STEPS * BATCH)
    joint = settings.joint.model_copy(update={"draws": draws})
    context = FitContext(settings.model_copy(update={"joint": joint}), context.seed, context.device, context.reporter)
    with TemporaryDirectory() as folder:
        fitted = fit_jointly(train, [], noise, context, Path(folder) / f"{name}.pt", start)
    return between(start, fitted, SHARE)


def between(start: Networks, fitted: Networks, share: float) -> Networks:
    """Networks whose weights lie on the line from the start's (`share` 0) to the fitted ones (1), on the CPU.

    A network that is fitted to few recordings forgets voices that it knew. On the way back to the start it regains
    these voices sooner than it loses the new ones (Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022).
    """
    return Networks(
        cnn=_between(start.cnn, fitted.cnn, share),
        context=None
        if start.context is None or fitted.context is None
        else _between(start.context, fitted.context, share),
        head=_between(start.head, fitted.head, share),
    )


def _between(start: Module, fitted: Module, share: float) -> Module:
    made, ends = deepcopy(start), fitted.state_dict()
    made.load_state_dict(
        {
            name: torch.lerp(value, ends[name], share) if value.is_floating_point() else value
            for name, value in start.state_dict().items()
        }
    )
    return made.eval()
