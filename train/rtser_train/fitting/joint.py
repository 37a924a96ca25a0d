"""Both stages at once: segment network, context and head are fitted together on crops of utterances."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from rtser_train.config import Experiment
from rtser_train.data.bags import Bag
from rtser_train.data.batches import Batch, Cropping, augment, crops
from rtser_train.fitting.context import FitContext
from rtser_train.fitting.embeddings import embed, score
from rtser_train.fitting.fit import fit
from rtser_train.fitting.stage1 import normalise_by, segment_network, speech_loss
from rtser_train.fitting.stage2 import decide, head_network
from rtser_train.networks.bag_network import BagNetwork, ratio, speech_gate
from rtser_train.networks.context import Context
from rtser_train.networks.randomness import draw_from, initialise
from rtser_train.networks.segment_network import SegmentNetwork, SegmentOutput
from rtser_train.settings import Joint

MOST_FOR_STATISTICS = 4_000
"""Maximum number of bags whose frames give the normalisation of the input."""
MOST_FOR_VALIDATION = 1_000
"""Maximum number of bags that choose the epoch, evenly spread over the validation part."""


class Networks(NamedTuple):
    """The trained networks that decide on utterances.

    Attributes:
        cnn: the segment network.
        context: joins what was said before to each embedding; None: the head sees the embeddings alone.
        head: the network on bags.
    """

    cnn: SegmentNetwork
    context: Context | None
    head: BagNetwork


class Targets:
    """The training targets of bags beside their classes, by the index of the bag.

    Args:
        bags: the bags that training draws from.
        experiment: all settings.

    Attributes:
        own: (n,), the bag's emotion by its corpus's own name, as an index of all corpora's own emotions.
        own_emotions: number of all corpora's own emotions.
        own_allowed: (n, A) bool, the emotions of the bag's own corpus.
        absent: (n, K), what is added to the logits: the logarithm of `Joint.absent` where the corpus lacks the class.
        speaks: (n,), 1 where the bag's corpus says what is speech.
        biased: (n,), index of the bias of the logits (`Joint.offsets`) that counts for the bag.
        biases: number of biases.
    """

    def __init__(self, bags: Sequence[Bag], experiment: Experiment, device: str) -> None:
        settings = _joint(experiment)
        corpora = [bag.recording.corpus for bag in bags]
        names = [f"{bag.recording.corpus}/{bag.recording.emotion}" for bag in bags]
        own, place_of_own = np.unique(names, return_inverse=True)
        self.own_emotions = len(own)
        kinds, corpus = np.unique(corpora, return_inverse=True)
        corpus_of_own = np.array([name.partition("/")[0] for name in own])
        self.own_allowed = torch.from_numpy(corpus_of_own[None] == kinds[corpus][:, None]).to(device)
        present = np.zeros((len(kinds), len(experiment.emotions)), bool)
        for place, bag in zip(corpus, bags, strict=True):
            present[place, bag.label] |= bag.label >= 0
        absent = np.where(present, 0.0, np.log(settings.absent)).astype(np.float32)
        self.absent = torch.from_numpy(absent[corpus]).to(device)
        self.speaks = torch.tensor([float(one not in settings.not_speech) for one in corpora], device=device)
        whose = [bag.recording.group if settings.offsets == "speaker" else bag.recording.corpus for bag in bags]
        groups, biased = np.unique(whose, return_inverse=True)
        self.biases = len(groups)
        self.biased = torch.from_numpy(biased).to(device)
        self.own = torch.from_numpy(place_of_own).to(device)


class JointNetwork(nn.Module):
    """All that is fitted: the networks that ship, the outputs for the corpora's own emotions, and the biases.

    Args:
        experiment: all settings.
        targets: those of the training bags.
    """

    def __init__(self, experiment: Experiment, targets: Targets) -> None:
        super().__init__()
        settings = _joint(experiment)
        embedding = experiment.cnn.embedding + settings.context
        self.cnn = segment_network(experiment)
        self.context = Context(experiment.cnn.embedding, settings.context) if settings.context else None
        self.head = head_network(experiment, experiment.head(None))
        self.own = nn.Linear(embedding, targets.own_emotions)
        self.biases = nn.Parameter(torch.zeros(targets.biases, len(experiment.emotions)))
        self._keeps_statistics = False

    @property
    def networks(self) -> Networks:
        """The networks that decide."""
        return Networks(self.cnn, self.context, self.head)

    def in_context(self, embeddings: Tensor, gate: Tensor) -> Tensor:
        """The input of the head for embeddings (B, S, F) with gates (B, S)."""
        return embeddings if self.context is None else self.context(embeddings, gate)

    def begin_with(self, start: Networks) -> None:
        """Take over trained networks of the same make, and keep what finds speech unchanged.

        The convolutions and the speech output are not fitted: few recordings without noise would teach them to take
        noise for speech. Batch norms keep their statistics in training too: those of few recordings would differ from
        batch to batch, and the weights do not fit them.
        """
        for own, its in zip(self.networks, start, strict=True):
            if own is not None and its is not None:
                own.load_state_dict(its.state_dict())
        self.cnn.columns.requires_grad_(False)
        self.cnn.speech.requires_grad_(False)
        self._keeps_statistics = True

    def train(self, mode: bool = True) -> Self:
        """Training mode, or evaluation mode; see `begin_with`."""
        super().train(mode)
        if self._keeps_statistics:
            for module in self.modules():
                if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
                    module.eval()
        return self


def fit_jointly(
    train: Sequence[Bag],
    validation: Sequence[Bag],
    noise: Sequence[Bag],
    context: FitContext,
    checkpoint: Path,
    start: Networks | None = None,
) -> Networks:
    """Fit all networks together; the validation part chooses the epoch.

    Args:
        train: the bags to train on.
        validation: the bags that choose the epoch; if empty, all epochs are trained, and the last counts.
        noise: recordings without speech.
        context: settings, seed, device.
        checkpoint: file, written after every epoch; an existing one is resumed.
        start: trained networks to begin with (`JointNetwork.begin_with`), which are not changed; None: weights are
            random, and the input is normalised by the frames of `train`.
    """
    experiment, seed, device = context.experiment, context.seed, context.device
    settings = _joint(experiment)
    targets = Targets(train, experiment, device)
    network = JointNetwork(experiment, targets)
    initialise(network, torch.Generator().manual_seed(seed))
    if start is None:
        normalise_by(train[:: 1 + len(train) // MOST_FOR_STATISTICS], network.cnn)
    else:
        network.begin_with(start)
    network.to(device)
    network.cnn.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    log_floor = experiment.features.log_floor
    cropping = Cropping(settings.segments, log_floor, experiment.cnn.margin)

    def losses(epoch: int) -> Iterator[tuple[Tensor, int]]:
        rng = np.random.default_rng([seed, epoch])
        generator, masks = (torch.Generator(device).manual_seed(int(rng.integers(2**62))) for _ in range(2))
        draw_from(network, masks)
        drawn = crops(
            train,
            noise,
            cropping,
            settings.fit.batch,
            settings.draws,
            experiment.cnn.noise_share,
            rng,
            experiment.sampling,
        )
        for batch, mixed in drawn:
            batch = Batch(*(part.to(device) for part in batch))
            mixed = None if mixed is None else mixed.to(device)
            batch = augment(batch, mixed, experiment.augment, log_floor, generator)
            yield joint_loss(network, batch, targets, experiment, generator), batch.speech.numel()

    some = validation[:: 1 + len(validation) // MOST_FOR_VALIDATION]

    def validate(averaged: nn.Module) -> dict[str, float]:
        assert isinstance(averaged, JointNetwork)
        embedded = embed(averaged.cnn, some, averaged.context)
        return score(embedded, decide(averaged.head, embedded, experiment.attention.window).logits)

    steps = -(-(settings.draws - 1) // settings.fit.batch)
    fit(network, losses, validate if validation else None, settings.fit, checkpoint, context.reporter, steps)
    draw_from(network, None)
    return network.cpu().networks


def joint_loss(
    network: JointNetwork, batch: Batch, targets: Targets, experiment: Experiment, generator: torch.Generator
) -> Tensor:
    """The loss of a batch, a scalar: the weighted sum of the losses below.

    * the class of the whole crop, and of its first 1 to S segments, by the head; cross-entropy of the logits and what
      `Targets` adds to them
    * the class of each segment, inherited from its utterance, by the segment network; weighted by its speech
    * the corpus's own emotion, from the gated mean of the embeddings in context, among the emotions of the corpus
    * the share of speech of each segment
    * the squares of the biases

    Bags with less than one segment of speech have no part in the first and the third.
    """
    settings = _joint(experiment)
    device = batch.log_mel.device
    with torch.autocast(device.type, torch.bfloat16, enabled=experiment.cnn.precision == "bfloat16"):
        output = SegmentOutput(*(part.float() for part in network.cnn(batch.log_mel)))
    gate = speech_gate(batch.speech) * batch.present
    classes = (batch.labels >= 0).float()
    spoken = gate.sum(1) >= 1
    added = targets.absent[batch.which]
    if settings.offsets != "none":
        added = added + network.biases[targets.biased[batch.which]]
    smoothing = settings.fit.label_smoothing
    inherited = batch.labels.clamp_min(0)

    emotional = batch.speech * classes.unsqueeze(1)
    logits = (output.emotion_logits + added.unsqueeze(1)).flatten(0, 1)
    by_segment = functional.cross_entropy(
        logits,
        inherited.unsqueeze(1).expand_as(batch.speech).flatten(),
        reduction="none",
        label_smoothing=smoothing,
    )
    loss = settings.segment_loss * (by_segment * emotional.flatten()).sum() / emotional.sum().clamp_min(1)

    in_context = network.in_context(output.embeddings, gate)
    weights, values = network.head.contributions(in_context, gate)
    heard = _heard(gate, generator).unsqueeze(-1)
    both = network.head.decide(torch.cat([weights, weights * heard]), torch.cat([values, values * heard]))
    for decided, weight in zip(both.chunk(2), (1.0, settings.prefix_loss), strict=True):
        by_bag = functional.cross_entropy(decided + added, inherited, reduction="none", label_smoothing=smoothing)
        counts = classes * spoken
        loss = loss + weight * (by_bag * counts).sum() / counts.sum().clamp_min(1)

    if settings.auxiliary_loss:
        pooled = ratio((in_context * gate.unsqueeze(-1)).sum(1), gate.sum(1, keepdim=True))
        own = network.own(pooled).masked_fill(~targets.own_allowed[batch.which], -torch.inf)
        counts = spoken * (batch.which >= 0)
        by_own = functional.cross_entropy(own, targets.own[batch.which], reduction="none")
        loss = loss + settings.auxiliary_loss * (by_own * counts).sum() / counts.sum().clamp_min(1)

    says = torch.where(batch.which < 0, 1.0, targets.speaks[batch.which])
    loss = loss + experiment.cnn.speech_loss * speech_loss(output, batch, says)
    return loss + settings.offset_penalty * network.biases.square().sum(1).mean()


def _heard(gate: Tensor, generator: torch.Generator) -> Tensor:
    """(B, S), 1 for the first segments of each bag; a random number of them, enough to hold speech."""
    total = gate.sum(1, keepdim=True)
    least = torch.minimum(total, torch.rand(len(gate), 1, generator=generator, device=gate.device) * total + 1)
    return ((gate.cumsum(1) - gate) < least).float()


def _joint(experiment: Experiment) -> Joint:
    assert experiment.joint is not None
    return experiment.joint
