"""Embeddings of whole utterances."""

from __future__ import annotations

import torch
from rtser_train.fitting.embeddings import align
from training.bags import embedded


def test_alignment_brings_one_embedding_space_into_another():
    generator = torch.Generator().manual_seed(0)
    truth, other = (torch.randn(*shape, generator=generator) for shape in ((3, 200, 6), (6, 6)))
    truth = truth.abs()
    seen, held_out = [embedded(part @ other) for part in truth[:2]], [embedded(truth[2] @ other)]
    (aligned,) = align(held_out, seen, [embedded(part) for part in truth[:2]])
    assert (aligned.embeddings - truth[2]).abs().mean() < 0.1 * (held_out[0].embeddings - truth[2]).abs().mean()
