"""Embeddings of whole utterances by the segment network, and the decisions of stage 1 alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from rtser_train.data.bags import Bag
from rtser_train.metrics import accuracy_by_corpus
from rtser_train.networks.bag_network import speech_gate
from rtser_train.networks.context import Context


@dataclass(frozen=True)
class Embedded:
    """A bag as stage 2 sees it.

    Attributes:
        bag: the utterance.
        embeddings: (S, F), or (S, F + C) with a context.
        gate: (S,), how much of its attention weight each segment keeps (`speech_gate`).
        posteriors: (S, K), equation (1).
    """

    bag: Bag
    embeddings: Tensor
    gate: Tensor
    posteriors: Tensor


@torch.no_grad()
def embed(cnn: nn.Module, bags: Sequence[Bag], context: Context | None = None) -> list[Embedded]:
    """Embed whole utterances, each in one pass, with their context if there is one."""
    cnn.eval()
    device = next(cnn.parameters()).device
    embedded = []
    for bag in bags:
        output = cnn(torch.from_numpy(bag.frames).unsqueeze(0).to(device))
        gate = speech_gate(output.speech_logits.sigmoid())
        embeddings = output.embeddings if context is None else context(output.embeddings, gate)
        parts = (embeddings, gate, output.emotion_logits.softmax(-1))
        embedded.append(Embedded(bag, *(part[0].cpu() for part in parts)))
    return embedded


def mean_posterior(embedded: Sequence[Embedded]) -> Tensor:
    """The gated mean of the segment posteriors (n, K): the scores of stage 1 alone."""
    return torch.stack([(one.posteriors * one.gate.unsqueeze(1)).sum(0) / one.gate.sum() for one in embedded])


def score(embedded: Sequence[Embedded], scores: Tensor) -> dict[str, float]:
    """UA by corpus of the largest score; a row of NaN (too little speech) is wrong."""
    return accuracy_by_corpus(
        [one.bag.label for one in embedded], likeliest(scores), [one.bag.recording.corpus for one in embedded]
    )


def likeliest(scores: Tensor) -> list[int]:
    """Index of the largest of each row of scores (n, K); -1 for a row of NaN."""
    return torch.where(scores.isnan().any(1), -1, scores.nan_to_num().argmax(1)).tolist()


def align(held_out: Sequence[Embedded], seen: Sequence[Embedded], reference: Sequence[Embedded]) -> list[Embedded]:
    """Bring out-of-fold embeddings into the space of the CNN that stage 2 will run on.

    Two CNNs that are trained alike have different embedding spaces. So attention trained on one says nothing about the
    other. A linear map from the inner CNN's space to the outer's repairs that. It is fitted by least squares on the
    utterances that both were trained on (our choice; the paper does not say).

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
