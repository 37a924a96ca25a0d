"""The two stages of the method: the segment CNN, then attention over its embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rtser.errors import InputError
from train.attention import BagNetwork, bag_network, heard, speech_gate
from train.bags import Bag
from train.batches import augment, balance, crops
from train.cnn import SegCNN
from train.config import Experiment, Fit
from train.fit import fit
from train.measures import by_corpus
from train.report import Reporter


@dataclass(frozen=True)
class Embedded:
    """A bag as stage 2 sees it.

    Attributes:
        bag: the utterance.
        embeddings: (S, F).
        gate: (S,), how much of its attention weight each segment keeps (`speech_gate`).
        posteriors: (S, K), equation (1).
    """

    bag: Bag
    embeddings: Tensor
    gate: Tensor
    posteriors: Tensor


def fit_cnn(
    train: Sequence[Bag],
    validation: Sequence[Bag],
    noise: Sequence[Bag],
    experiment: Experiment,
    seed: int,
    checkpoint: Path,
    reporter: Reporter,
) -> SegCNN:
    """Stage 1: every segment inherits its utterance's label (single-instance learning), weighted by its speech."""
    settings = experiment.cnn
    torch.manual_seed(seed)
    cnn = SegCNN(len(experiment.emotions), settings.widths, settings.embedding, settings.dropout)
    mean, deviation = frame_statistics(train)
    cnn.mean.copy_(mean)
    cnn.deviation.copy_(deviation)
    draws = max(2, round(settings.draws * len(train)))
    cnn.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def losses(epoch: int) -> Iterator[Tensor]:
        rng = np.random.default_rng([seed, epoch])
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        torch.manual_seed(int(rng.integers(2**62)))
        for batch, mixed in crops(
            train, noise, settings.segments, settings.fit.batch, draws, settings.noise_share, rng
        ):
            batch = augment(batch, mixed, experiment.augment, generator)
            output = cnn(batch.log_mel)
            emotional = batch.speech * (batch.labels >= 0).unsqueeze(1)
            inherited = batch.labels.clamp_min(0).unsqueeze(1).expand_as(batch.speech)
            emotion_loss = functional.cross_entropy(
                output.emotion_logits.flatten(0, 1),
                inherited.flatten(),
                reduction="none",
                label_smoothing=settings.fit.label_smoothing,
            )
            speech_loss = functional.binary_cross_entropy_with_logits(
                output.speech_logits, batch.speech, reduction="none"
            )
            loss = (emotion_loss * emotional.flatten()).sum() / emotional.sum().clamp_min(1)
            if settings.bag_loss:
                loss = loss + settings.bag_loss * _bag_loss(
                    output.emotion_logits, emotional, batch.labels, settings.fit
                )
            yield loss + settings.speech_loss * (speech_loss * batch.present).sum() / batch.present.sum()

    def validate(network: nn.Module) -> dict[str, float]:
        embedded = embed(network, validation)
        return score(embedded, mean_posterior(embedded))

    fit(cnn, losses, validate, settings.fit, checkpoint, reporter)
    return cnn


def frame_statistics(bags: Sequence[Bag]) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (64,) of the frames of some bags, summed in float64.

    The deviation is at least 1/10: a bin that lies on the floor throughout, as above 4 kHz in telephone speech, would
    otherwise turn the least sound there into a huge input.
    """
    count = sum(len(bag.frames) for bag in bags)
    mean = sum(bag.frames.sum(0, dtype=np.float64) for bag in bags) / count
    variance = sum(np.square(bag.frames - mean).sum(0) for bag in bags) / count
    return torch.from_numpy(mean).float(), torch.from_numpy(np.sqrt(variance)).float().clamp_min(0.1)


def _bag_loss(logits: Tensor, weights: Tensor, labels: Tensor, settings: Fit) -> Tensor:
    """Cross-entropy of the mean logits (B, K) of bags (B, S, K), weighted by (B, S); bags without weight left out."""
    spoken = weights.sum(1) > 1
    mean = (logits * weights.unsqueeze(-1)).sum(1)[spoken] / weights.sum(1, keepdim=True)[spoken]
    if not spoken.any():
        return logits.new_zeros(())
    return functional.cross_entropy(mean, labels[spoken], label_smoothing=settings.label_smoothing)


@torch.no_grad()
def embed(cnn: nn.Module, bags: Sequence[Bag]) -> list[Embedded]:
    """Embed whole utterances, each in one pass."""
    cnn.eval()
    embedded = []
    for bag in bags:
        output = cnn(torch.from_numpy(bag.frames).unsqueeze(0))
        gate = speech_gate(output.speech_logits[0].sigmoid())
        embedded.append(Embedded(bag, output.embeddings[0], gate, output.emotion_logits[0].softmax(-1)))
    return embedded


def align(held_out: Sequence[Embedded], seen: Sequence[Embedded], reference: Sequence[Embedded]) -> list[Embedded]:
    """Bring out-of-fold embeddings into the space of the CNN that stage 2 will run on.

    Two CNNs trained alike span unlike embedding spaces, so attention trained on one's says nothing of the other's. A
    linear map from the inner CNN's to the outer's, fitted by least squares on the utterances that both were trained on,
    mends that (our choice; the paper does not say).

    Args:
        held_out: embedded by an inner CNN that never saw them.
        seen: embedded by the same inner CNN, which was trained on them.
        reference: the same utterances as `seen`, embedded by the outer CNN.
    """
    inner = torch.cat([one.embeddings for one in seen])
    ones = torch.ones(len(inner), 1)
    ridge = 1e-3 * len(inner) * torch.eye(inner.shape[1] + 1)
    design = torch.cat([inner, ones], 1)
    outer = torch.cat([one.embeddings for one in reference])
    solution = torch.linalg.solve(design.T @ design + ridge, design.T @ outer)
    return [replace(one, embeddings=(one.embeddings @ solution[:-1] + solution[-1]).clamp_min(0)) for one in held_out]


def fit_attention(
    train: Sequence[Embedded],
    validation: Sequence[Embedded],
    experiment: Experiment,
    seed: int,
    checkpoint: Path,
    reporter: Reporter,
) -> BagNetwork:
    """Stage 2: the experiment's network on stored embeddings, over windows of 1 to T segments."""
    settings = experiment.attention
    torch.manual_seed(seed)
    kinds = len(experiment.emotions)
    network = bag_network(settings.head, train[0].embeddings.shape[1], kinds, settings.features, settings.dropout)
    spoken = [one for one in train if one.gate.sum() > 0]
    if not spoken:
        raise InputError("the speech head finds no speech in the training utterances; train longer or check them.")
    weights = balance([one.bag for one in spoken])

    def losses(epoch: int) -> Iterator[Tensor]:
        rng = np.random.default_rng([seed, epoch])
        torch.manual_seed(int(rng.integers(2**62)))
        for _ in range(0, len(spoken), settings.fit.batch):
            chosen = [spoken[i] for i in rng.choice(len(spoken), settings.fit.batch, p=weights)]
            embeddings, gate, labels = windows(chosen, settings.window, rng)
            logits = network(embeddings, gate)
            yield functional.cross_entropy(logits, labels, label_smoothing=settings.fit.label_smoothing)

    def validate(averaged: nn.Module) -> dict[str, float]:
        return score(validation, decide(averaged, validation, settings.window))

    fit(network, losses, validate, settings.fit, checkpoint, reporter)
    return network


def windows(chosen: Sequence[Embedded], longest: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """One window of each bag, masked by a gate of zero: half of them the last T segments, half 1 to T at random.

    A random window that holds no speech gives way to the last T segments.
    """
    embeddings = torch.zeros(len(chosen), longest, chosen[0].embeddings.shape[1])
    gate = torch.zeros(len(chosen), longest)
    for row, one in enumerate(chosen):
        part = slice(-longest, None)
        if rng.random() < 0.5:
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
def decide(network: nn.Module, embedded: Sequence[Embedded], window: int) -> Tensor:
    """Logits (n, K) of the last window of each bag that holds enough speech; NaN where none does."""
    network.eval()
    rows = []
    for one in embedded:
        gates = functional.pad(one.gate, (window - 1, 0)).unfold(0, window, 1)
        enough = heard(gates).nonzero()
        last = int(enough[-1]) + 1 if len(enough) else len(one.gate)
        part = slice(max(0, last - window), last)
        logits = network(one.embeddings[part].unsqueeze(0), one.gate[part].unsqueeze(0))[0]
        rows.append(logits if len(enough) else torch.full_like(logits, torch.nan))
    return torch.stack(rows)


def mean_posterior(embedded: Sequence[Embedded]) -> Tensor:
    """The gated mean of the segment posteriors (n, K): what stage 1 alone would decide."""
    return torch.stack([(one.posteriors * one.gate.unsqueeze(1)).sum(0) / one.gate.sum() for one in embedded])


def score(embedded: Sequence[Embedded], scores: Tensor) -> dict[str, float]:
    """UA by corpus of the largest score; a row of NaN (nothing heard) is wrong."""
    predictions = torch.where(scores.isnan().any(1), -1, scores.nan_to_num().argmax(1))
    return by_corpus(
        [one.bag.label for one in embedded], predictions.tolist(), [one.bag.utterance.corpus for one in embedded]
    )
