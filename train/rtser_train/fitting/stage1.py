"""Stage 1 of the method: the segment CNN, and the embeddings it makes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rtser_train.config import Experiment, Fit
from rtser_train.data.bags import Bag
from rtser_train.data.batches import Batch, augment, crops
from rtser_train.evaluation.metrics import by_corpus
from rtser_train.fitting.fit import fit
from rtser_train.networks.heads import speech_gate
from rtser_train.networks.segment_networks import PlainCNN, SegCNN, SegmentNetwork, SegmentOutput
from rtser_train.progress import Reporter


@dataclass(frozen=True)
class Task:
    """What the fitting of any network of a fold needs beside its data.

    Attributes:
        experiment: all settings.
        seed: of everything random in it.
        device: where networks are trained, ``cpu`` or ``cuda``.
        reporter: told of the progress.
    """

    experiment: Experiment
    seed: int
    device: str
    reporter: Reporter


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
    task: Task,
    checkpoint: Path,
    epochs: int | None = None,
) -> tuple[SegmentNetwork, list[float]]:
    """Stage 1: every segment inherits its utterance's label (single-instance learning), weighted by its speech.

    Args:
        train: what is trained on.
        validation: what chooses the epoch; empty where `epochs` says how many there are.
        noise: recordings without speech.
        task: settings, seed, device.
        checkpoint: kept up to date, and gone on from.
        epochs: how many, where nothing chooses.

    Returns:
        the network, and its validation UA after each epoch.
    """
    settings, seed, device = task.experiment.cnn, task.seed, task.device
    torch.manual_seed(seed)
    cnn = segment_network(task.experiment)
    mean, deviation = frame_statistics(train)
    cnn.mean.copy_(mean)
    cnn.deviation.copy_(deviation)
    draws = max(2, round(settings.draws * len(train)))
    cnn.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def losses(epoch: int) -> Iterator[tuple[Tensor, int]]:
        rng = np.random.default_rng([seed, epoch])
        generator = torch.Generator(device).manual_seed(int(rng.integers(2**62)))
        torch.manual_seed(int(rng.integers(2**62)))
        for batch, mixed in crops(
            train, noise, settings.segments, settings.fit.batch, draws, settings.noise_share, rng
        ):
            batch = Batch(*(part.to(device) for part in batch))
            mixed = None if mixed is None else mixed.to(device)
            batch = augment(batch, mixed, task.experiment.augment, generator)
            with torch.autocast(device, torch.bfloat16, enabled=settings.precision == "bfloat16"):
                output = SegmentOutput(*(part.float() for part in cnn(batch.log_mel)))
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
            loss = loss + settings.speech_loss * (speech_loss * batch.present).sum() / batch.present.sum()
            yield loss, batch.speech.numel()

    def validate(network: nn.Module) -> dict[str, float]:
        embedded = embed(network, validation)
        return score(embedded, mean_posterior(embedded))

    fitting = settings.fit if epochs is None else settings.fit.model_copy(update={"epochs": epochs})
    scores = fit(cnn, losses, validate if epochs is None else None, fitting, checkpoint, task.reporter)
    return cnn, scores


def segment_network(experiment: Experiment) -> SegmentNetwork:
    """The experiment's segment network, untrained."""
    settings = experiment.cnn
    kind = SegCNN if settings.aligned else PlainCNN
    return kind(len(experiment.emotions), settings.widths, settings.embedding, settings.dropout)


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
    device = next(cnn.parameters()).device
    embedded = []
    for bag in bags:
        output = cnn(torch.from_numpy(bag.frames).unsqueeze(0).to(device))
        embeddings, emotions, speech = (part[0].cpu() for part in output)
        embedded.append(Embedded(bag, embeddings, speech_gate(speech.sigmoid()), emotions.softmax(-1)))
    return embedded


def mean_posterior(embedded: Sequence[Embedded]) -> Tensor:
    """The gated mean of the segment posteriors (n, K): what stage 1 alone would decide."""
    return torch.stack([(one.posteriors * one.gate.unsqueeze(1)).sum(0) / one.gate.sum() for one in embedded])


def score(embedded: Sequence[Embedded], scores: Tensor) -> dict[str, float]:
    """UA by corpus of the largest score; a row of NaN (nothing heard) is wrong."""
    return by_corpus(
        [one.bag.label for one in embedded], likeliest(scores), [one.bag.utterance.corpus for one in embedded]
    )


def likeliest(scores: Tensor) -> list[int]:
    """Index of the largest of each row of scores (n, K); -1 for a row of NaN."""
    return torch.where(scores.isnan().any(1), -1, scores.nan_to_num().argmax(1)).tolist()


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
