from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rtser.features import log_mel, segment_count
from train.attention import FeatureAttention, speech_gate
from train.cnn import SIZES, SegCNN, frames_for


def a_cnn(size="edge"):
    torch.manual_seed(0)
    cnn = SegCNN(6, SIZES[size], embedding=24).eval()
    cnn.mean += -8
    cnn.deviation *= 3
    return cnn


@pytest.mark.parametrize("size", SIZES)
@torch.no_grad()
def test_one_pass_over_an_utterance_equals_segment_by_segment(size, voice):
    cnn, frames = a_cnn(size), torch.from_numpy(log_mel(voice[: 16_000 * 3]))
    whole = cnn(frames.unsqueeze(0))
    alone = cnn(torch.stack([frames[6 * k : 6 * k + 32] for k in range(segment_count(16_000 * 3))]))
    for together, separate in zip(whole, alone, strict=True):
        assert together.shape[1] == segment_count(16_000 * 3)
        assert torch.allclose(together[0], separate[:, 0], atol=1e-5)


@given(st.integers(1, 80))
@settings(deadline=None, max_examples=20)
@torch.no_grad()
def test_every_hop_adds_one_column(segments):
    assert a_cnn("tiny")(torch.zeros(1, frames_for(segments), 64)).embeddings.shape == (1, segments, 24)


@torch.no_grad()
def test_a_segment_depends_on_its_own_frames_alone():
    cnn, frames = a_cnn(), torch.randn(1, frames_for(10), 64)
    changed = frames.clone()
    changed[:, 6 * 4 + 32 :] = 5
    changed[:, : 6 * 4] = -5
    assert torch.equal(cnn(frames).embeddings[0, 4], cnn(changed).embeddings[0, 4])


def numpy_feature_attention(network, x, gate):
    """Equations (4) to (6), written out."""

    def layer(linear, values):
        return values @ linear.weight.detach().double().numpy().T + linear.bias.detach().double().numpy()

    h = np.maximum(0, layer(network.hidden[3], np.maximum(0, layer(network.hidden[0], x))))
    w = gate[:, None] / (1 + np.exp(-layer(network.weight[0], h)))
    pooled = (w / w.sum(0) * layer(network.value, h)).sum(0)
    norm = network.classifier[0]
    scaled = (pooled - norm.running_mean.double().numpy()) / np.sqrt(norm.running_var.double().numpy() + norm.eps)
    activated = np.maximum(0, scaled * norm.weight.detach().double().numpy() + norm.bias.detach().double().numpy())
    logits = layer(network.classifier[3], activated)
    return np.exp(logits) / np.exp(logits).sum()


@given(st.integers(1, 40), st.integers(0, 10_000))
@settings(deadline=None, max_examples=30)
def test_feature_attention_is_equations_4_to_6(segments, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = FeatureAttention(16, 5, features=12).double().eval()
    x, gate = rng.normal(size=(segments, 16)), rng.random(segments) * (rng.random(segments) > 0.3)
    gate[0] = 1
    ours = network(torch.from_numpy(x)[None], torch.from_numpy(gate)[None]).softmax(-1)[0].detach().numpy()
    assert ours == pytest.approx(numpy_feature_attention(network, x, gate), abs=1e-6)


@torch.no_grad()
def test_a_masked_segment_takes_no_part():
    network = FeatureAttention(16, 5).eval()
    x, gate = torch.randn(1, 8, 16), torch.ones(1, 8)
    gate[0, 5:] = 0
    padded = network(x, gate)
    assert torch.allclose(padded, network(x[:, :5], gate[:, :5]), atol=1e-6)


def test_gradients_reach_every_parameter():
    cnn, network = SegCNN(4, SIZES["tiny"], 8), FeatureAttention(8, 4)
    output = cnn(torch.randn(3, frames_for(5), 64))
    loss = network(output.embeddings, torch.ones(3, 5)).square().sum()
    (loss + output.emotion_logits.square().sum() + output.speech_logits.square().sum()).backward()
    for name, parameter in [*cnn.named_parameters(), *network.named_parameters()]:
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name


def test_the_gate_is_closed_up_to_one_half_and_open_at_one():
    assert speech_gate(torch.tensor([0.0, 0.3, 0.5, 0.75, 1.0])).tolist() == [0, 0, 0, 0.5, 1]
