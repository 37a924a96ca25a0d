"""Stage 2 of the method: a network on the embeddings of an utterance's segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence

from rtser.errors import InputError
from rtser_train.config import Experiment
from rtser_train.data.batches import balance
from rtser_train.fitting.calibration import Heard
from rtser_train.fitting.context import FitContext
from rtser_train.fitting.embeddings import Embedded, score
from rtser_train.fitting.fit import fit
from rtser_train.networks.bag_network import BagNetwork, enough_speech
from rtser_train.networks.randomness import draw_from, initialise
from rtser_train.registry import HEADS

AT_ONCE = 256
"""Bags decided on in one pass."""
CALIBRATION_DRAWS = 5
"""Windows drawn from each utterance."""


class Decided(NamedTuple):
    """A head's decisions on n bags.

    Attributes:
        logits: (n, K); NaN for a bag without enough speech.
        speech: (n,), the sum of the gates of the windows that were decided on; 0 if there is none.
    """

    logits: Tensor
    speech: Tensor


def head_network(experiment: Experiment, head: str) -> BagNetwork:
    """One of the experiment's heads, untrained."""
    settings, emotions = experiment.attention, len(experiment.emotions)
    context = experiment.joint.context if experiment.joint else 0
    return HEADS.get(head)(experiment.cnn.embedding + context, emotions, settings.features, settings.dropout)


def fit_head(
    head: str,
    train: Sequence[Embedded],
    validation: Sequence[Embedded],
    context: FitContext,
    checkpoint: Path,
    epochs: int | None = None,
) -> tuple[BagNetwork, list[float]]:
    """Stage 2: a network on stored embeddings, over windows of 1 to T segments (of T with the paper's padding).

    Args:
        head: the network's name.
        train: the bags to train on.
        validation: the bags that choose the epoch; empty if `epochs` is given.
        context: settings, seed.
        checkpoint: file, written after every epoch; an existing one is resumed.
        epochs: number of epochs, without validation.

    Returns:
        the network, and its validation UA after each epoch.
    """
    settings, seed = context.experiment.attention, context.seed
    network = head_network(context.experiment, head)
    initialise(network, torch.Generator().manual_seed(seed))
    spoken = with_speech(train)
    weights = balance([one.bag for one in spoken], context.experiment.sampling)

    def losses(epoch: int) -> Iterator[tuple[Tensor, int]]:
        rng = np.random.default_rng([seed, epoch])
        draw_from(network, torch.Generator().manual_seed(int(rng.integers(2**62))))
        for _ in range(0, len(spoken), settings.fit.batch):
            chosen = [spoken[i] for i in rng.choice(len(spoken), settings.fit.batch, p=weights)]
            embeddings, gate, labels = windows(chosen, settings.window, rng, whole=settings.padding == "zeros")
            logits = network(embeddings, gate)
            yield functional.cross_entropy(logits, labels, label_smoothing=settings.fit.label_smoothing), gate.numel()

    def validate(averaged: nn.Module) -> dict[str, float]:
        return score(validation, decide(averaged, validation, settings.window).logits)

    fitting = settings.fit if epochs is None else settings.fit.model_copy(update={"epochs": epochs})
    steps = len(range(0, len(spoken), settings.fit.batch))
    scores = fit(network, losses, validate if epochs is None else None, fitting, checkpoint, context.reporter, steps)
    draw_from(network, None)
    return network, scores


def prepared(embedded: Sequence[Embedded], experiment: Experiment) -> list[Embedded]:
    """Bags as the heads take them: unchanged, or the first T segments, padded with zeros that take part."""
    if experiment.attention.padding == "masked":
        return list(embedded)
    longest = experiment.attention.window
    return [
        replace(
            one,
            embeddings=functional.pad(one.embeddings[:longest], (0, 0, 0, max(0, longest - len(one.embeddings)))),
            gate=torch.ones(longest),
        )
        for one in embedded
    ]


def with_speech(embedded: Sequence[Embedded]) -> list[Embedded]:
    """The bags that have a segment of speech.

    Raises:
        InputError: none has.
    """
    spoken = [one for one in embedded if one.gate.sum() > 0]
    if not spoken:
        raise InputError(
            "the segment network finds no speech in the utterances", "train it longer, or check the recordings"
        )
    return spoken


@torch.no_grad()
def decide(network: nn.Module, embedded: Sequence[Embedded], window: int) -> Decided:
    """Decide on the last window of each bag that holds enough speech."""
    network.eval()
    parts = [_decide(network, embedded[first : first + AT_ONCE], window) for first in range(0, len(embedded), AT_ONCE)]
    return Decided(*map(torch.cat, zip(*parts, strict=True)))


def _decide(network: nn.Module, embedded: Sequence[Embedded], window: int) -> Decided:
    ends = [_last_decided(one.gate, window) for one in embedded]
    parts = [slice(max(0, (end or window) - window), end or window) for end in ends]
    embeddings = [one.embeddings[part] for one, part in zip(embedded, parts, strict=True)]
    gates = [one.gate[part] for one, part in zip(embedded, parts, strict=True)]
    device = next(network.parameters()).device
    padded = (pad_sequence(part, batch_first=True).to(device) for part in (embeddings, gates))
    logits: Tensor = network(*padded).cpu()
    undecided = torch.tensor([end is None for end in ends])
    logits[undecided] = torch.nan
    speech = torch.stack([gate.sum() for gate in gates])
    return Decided(logits, speech.masked_fill(undecided, 0))


def _last_decided(gate: Tensor, window: int) -> int | None:
    """End of the last window that holds enough speech."""
    enough = enough_speech(functional.pad(gate, (window - 1, 0)).unfold(0, window, 1)).nonzero()
    return int(enough[-1]) + 1 if len(enough) else None


def windows(
    chosen: Sequence[Embedded], longest: int, rng: np.random.Generator, whole: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """One window of each bag, masked by a gate of zero: half are the last T segments, half are 1 to T at random.

    With `whole`, all are the last T. These also replace a random window without speech. If the last T segments hold no
    speech, the window begins at the segment with the largest gate.
    """
    embeddings = torch.zeros(len(chosen), longest, chosen[0].embeddings.shape[1])
    gate = torch.zeros(len(chosen), longest)
    for row, one in enumerate(chosen):
        part = slice(-longest, None)
        if not whole and rng.random() < 0.5:
            length = int(rng.integers(1, longest + 1))
            start = int(rng.integers(0, max(1, len(one.gate) - length + 1)))
            if one.gate[start : start + length].sum() > 0:
                part = slice(start, start + length)
        if one.gate[part].sum() <= 0:
            part = slice(int(one.gate.argmax()), None)
        count = min(longest, len(one.gate[part]))
        embeddings[row, :count] = one.embeddings[part][:count]
        gate[row, :count] = one.gate[part][:count]
    return embeddings, gate, torch.tensor([one.bag.label for one in chosen])


@torch.no_grad()
def heard_windows(network: BagNetwork, embedded: Sequence[Embedded], context: FitContext) -> Heard:
    """A head's outputs for windows of all lengths that hold enough speech for a decision."""
    settings = context.experiment.attention
    rng = np.random.default_rng(context.seed)
    spoken, whole = with_speech(embedded), settings.padding == "zeros"
    parts = []
    for _ in range(CALIBRATION_DRAWS):  # one after another: each is a gigabyte where there are 12,000 utterances
        embeddings, gate, labels = windows(spoken, settings.window, rng, whole)
        enough = enough_speech(gate)
        parts.append(Heard(network(embeddings[enough], gate[enough]), gate[enough].sum(1), labels[enough]))
    return Heard(*map(torch.cat, zip(*parts, strict=True)))
