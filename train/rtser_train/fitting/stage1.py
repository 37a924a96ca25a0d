"""Stage 1 of the method: the segment network, fitted on segments that inherit their utterance's label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from rtser_train.config import Experiment
from rtser_train.data.bags import Bag
from rtser_train.data.batches import Batch, Cropping, augment, crops
from rtser_train.fitting.context import FitContext
from rtser_train.fitting.embeddings import embed, mean_posterior, score
from rtser_train.fitting.fit import fit
from rtser_train.networks.randomness import draw_from, initialise
from rtser_train.networks.segment_network import SegmentNetwork, SegmentOutput
from rtser_train.registry import SEGMENT_NETWORKS
from rtser_train.settings import CnnSettings, Fit


def fit_cnn(
    train: Sequence[Bag],
    validation: Sequence[Bag],
    noise: Sequence[Bag],
    context: FitContext,
    checkpoint: Path,
    epochs: int | None = None,
) -> tuple[SegmentNetwork, list[float]]:
    """Stage 1: every segment inherits its utterance's label (single-instance learning), weighted by its speech.

    Args:
        train: the bags to train on.
        validation: the bags that choose the epoch; empty if `epochs` is given.
        noise: recordings without speech.
        context: settings, seed, device.
        checkpoint: file, written after every epoch; an existing one is resumed.
        epochs: number of epochs, without validation.

    Returns:
        the network, and its validation UA after each epoch.
    """
    settings, seed, device = context.experiment.cnn, context.seed, context.device
    log_floor = context.experiment.features.log_floor
    cropping = Cropping(settings.segments, log_floor, settings.margin)
    cnn = segment_network(context.experiment)
    initialise(cnn, torch.Generator().manual_seed(seed))
    if context.start is None:
        normalise_by(train, cnn)
    else:
        weights = context.start.state_dict()
        cnn.load_state_dict(weights | {name: cnn.state_dict()[name] for name in weights if name.startswith("emotion.")})
    draws = max(2, round(settings.draws * len(train)))
    cnn.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def losses(epoch: int) -> Iterator[tuple[Tensor, int]]:
        rng = np.random.default_rng([seed, epoch])
        generator, masks = (torch.Generator(device).manual_seed(int(rng.integers(2**62))) for _ in range(2))
        draw_from(cnn, masks)
        for batch, mixed in crops(
            train,
            noise,
            cropping,
            settings.fit.batch,
            draws,
            settings.noise_share,
            rng,
            context.experiment.sampling,
        ):
            batch = Batch(*(part.to(device) for part in batch))
            mixed = None if mixed is None else mixed.to(device)
            batch = augment(batch, mixed, context.experiment.augment, log_floor, generator)
            with torch.autocast(device, torch.bfloat16, enabled=settings.precision == "bfloat16"):
                output = SegmentOutput(*(part.float() for part in cnn(batch.log_mel)))
            yield segment_loss(output, batch, settings), batch.speech.numel()

    def validate(network: nn.Module) -> dict[str, float]:
        embedded = embed(network, validation)
        return score(embedded, mean_posterior(embedded))

    fitting = settings.fit if epochs is None else settings.fit.model_copy(update={"epochs": epochs})
    steps = len(range(0, draws - 1, settings.fit.batch))
    scores = fit(cnn, losses, validate if epochs is None else None, fitting, checkpoint, context.reporter, steps)
    draw_from(cnn, None)
    return cnn, scores


def segment_network(experiment: Experiment) -> SegmentNetwork:
    """The experiment's segment network, untrained."""
    settings = experiment.cnn
    kind = SEGMENT_NETWORKS.get(settings.network)
    return kind(len(experiment.emotions), settings.widths, settings.embedding, settings.dropout, settings.level)


def normalise_by(bags: Sequence[Bag], cnn: SegmentNetwork) -> None:
    """Let a network normalise its input by the statistics of some bags' frames."""
    mean, deviation = frame_statistics(bags, cnn)
    cnn.mean.copy_(mean)
    cnn.deviation.copy_(deviation)


def frame_statistics(bags: Sequence[Bag], cnn: SegmentNetwork) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation (64,) of some bags' frames before a network normalises them, summed in float64.

    The deviation is at least 1/10. Otherwise the faintest sound would become a huge input in a bin that is always at
    the floor, such as above 4 kHz in telephone speech.
    """

    def seen(bag: Bag) -> NDArray[np.float32]:
        frames: NDArray[np.float32] = cnn.levelled(torch.from_numpy(bag.frames).unsqueeze(0))[0].numpy()
        return frames

    sums = [(len(frames), frames.sum(0, dtype=np.float64)) for frames in map(seen, bags)]
    count = sum(frames for frames, _ in sums)
    mean = sum(one for _, one in sums) / count
    variance = sum(np.square(seen(bag) - mean).sum(0) for bag in bags) / count
    return torch.from_numpy(mean).float(), torch.from_numpy(np.sqrt(variance)).float().clamp_min(0.1)


def segment_loss(output: SegmentOutput, batch: Batch, settings: CnnSettings) -> Tensor:
    """The loss of a batch, a scalar: of emotions by segment and by bag, and of speech.

    Emotions: cross-entropy with the inherited label, a mean weighted by the segments' shares of speech; noise has no
    weight. Speech: binary cross-entropy with the share of speech, a mean over the segments that are not padding.
    """
    emotional = batch.speech * (batch.labels >= 0).unsqueeze(1)
    inherited = batch.labels.clamp_min(0).unsqueeze(1).expand_as(batch.speech)
    emotion_loss = functional.cross_entropy(
        output.emotion_logits.flatten(0, 1),
        inherited.flatten(),
        reduction="none",
        label_smoothing=settings.fit.label_smoothing,
    )
    loss = (emotion_loss * emotional.flatten()).sum() / emotional.sum().clamp_min(1)
    if settings.bag_loss:
        loss = loss + settings.bag_loss * _bag_loss(output.emotion_logits, emotional, batch.labels, settings.fit)
    return loss + settings.speech_loss * speech_loss(output, batch, torch.ones_like(batch.labels))


def speech_loss(output: SegmentOutput, batch: Batch, says: Tensor) -> Tensor:
    """Binary cross-entropy with the share of speech, a mean over the segments that are not padding.

    Args:
        output: of the segment network.
        batch: its input.
        says: (B,), 0 for a bag that does not count.
    """
    counts = batch.present * says.unsqueeze(1)
    losses = functional.binary_cross_entropy_with_logits(output.speech_logits, batch.speech, reduction="none")
    return (losses * counts).sum() / counts.sum().clamp_min(1)


def _bag_loss(logits: Tensor, weights: Tensor, labels: Tensor, settings: Fit) -> Tensor:
    """Cross-entropy of the mean logits (B, K) of bags (B, S, K), weighted by (B, S); only bags of a weight above 1."""
    spoken = weights.sum(1) > 1
    mean = (logits * weights.unsqueeze(-1)).sum(1)[spoken] / weights.sum(1, keepdim=True)[spoken]
    if not spoken.any():
        return logits.new_zeros(())
    return functional.cross_entropy(mean, labels[spoken], label_smoothing=settings.label_smoothing)
