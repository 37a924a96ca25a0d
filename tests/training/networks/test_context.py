"""The recurrent context."""

from __future__ import annotations

import pytest
import torch
from rtser_train.networks.context import Context


@pytest.fixture
def context():
    torch.manual_seed(0)
    return Context(6, 4).eval()


def speech(segments, seed=0):
    return torch.randn(2, segments, 6, generator=torch.Generator().manual_seed(seed))


def test_the_whole_utterance_at_once_is_the_same_as_segment_by_segment(context):
    embeddings, gate = speech(9), torch.rand(2, 9, generator=torch.Generator().manual_seed(1))
    state, steps = torch.zeros(2, 4), []
    for number in range(9):
        state = context.step(embeddings[:, number], gate[:, number : number + 1], state)
        steps.append(state)
    assert torch.allclose(context(embeddings, gate), torch.cat([embeddings, torch.stack(steps, 1)], -1), atol=1e-6)


def test_silence_however_long_leaves_no_trace(context):
    embeddings, silence = speech(5), speech(40, seed=2)
    gate = torch.ones(2, 5)
    alone = context(embeddings, gate)
    after = context(torch.cat([silence, embeddings], 1), torch.cat([torch.zeros(2, 40), gate], 1))
    assert torch.equal(after[:, 40:], alone)


def test_a_restart_forgets_what_came_before(context):
    embeddings, gate = speech(8), torch.ones(2, 8)
    restart = torch.zeros(2, 8)
    restart[:, 5] = 1
    assert torch.allclose(context(embeddings, gate, restart)[:, 5:], context(embeddings[:, 5:], gate[:, 5:]))


def test_with_an_open_gate_it_is_a_gated_recurrent_unit(context):
    unit = torch.nn.GRU(6, 4, batch_first=True)
    order = torch.cat([torch.arange(4, 8), torch.arange(4), torch.arange(8, 12)])  # torch: reset, update, new
    with torch.no_grad():
        unit.weight_ih_l0.copy_(context.seen.weight[order])
        unit.bias_ih_l0.copy_(context.seen.bias[order])
        unit.weight_hh_l0.copy_(context.kept.weight[order])
        unit.bias_hh_l0.copy_(context.kept.bias[order])
    embeddings = speech(7)
    assert torch.allclose(context(embeddings, torch.ones(2, 7))[..., 6:], unit(embeddings)[0], atol=1e-6)
