from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import sound
from hypothesis import given, settings
from hypothesis import strategies as st
from rtser_train.export.onnx_export import StreamingStep, export, verify
from rtser_train.networks.heads import TITLES, bag_network, speech_gate
from rtser_train.networks.segment_networks import SIZES, PlainCNN, SegCNN, frames_for

from rtser.engine.features import log_mel, segment_count
from rtser.testing import METADATA


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


@torch.no_grad()
def test_the_plain_vgg_sees_each_segment_alone_and_is_as_wide():
    torch.manual_seed(0)
    plain, aligned = PlainCNN(6, SIZES["tiny"], 24).eval(), SegCNN(6, SIZES["tiny"], 24)
    frames = torch.randn(2, frames_for(7), 64)
    whole = plain(frames)
    assert whole.embeddings.shape == (2, 7, 24)
    alone = plain(torch.stack([frames[1, 6 * k : 6 * k + 32] for k in range(7)]))
    for together, separate in zip(whole, alone, strict=True):
        assert torch.allclose(together[1], separate[:, 0], atol=1e-5)
    channels = [
        [one.out_channels for one in cnn.modules() if isinstance(one, torch.nn.Conv2d)] for cnn in (plain, aligned)
    ]
    assert channels[0] == channels[1]


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


def layer(linear, values):
    return values @ linear.weight.detach().double().numpy().T + linear.bias.detach().double().numpy()


def softmax(logits):
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def hidden(network, x):
    """h of both fully-connected layers."""
    lower = np.maximum(0, layer(network.hidden[0], x))
    return lower, np.maximum(0, layer(network.hidden[3], lower))


def decisions(module, h, gate):
    """Equations (2) and (3)."""
    v = gate[:, None] * softmax(layer(module.attention, h))
    return (v / v.sum(0) * softmax(layer(module.classifier, h))).sum(0)


def feature_att(network, x, gate):
    """Equations (4) to (6)."""
    _, h = hidden(network, x)
    w = gate[:, None] / (1 + np.exp(-layer(network.weight[0], h)))
    pooled = (w / w.sum(0) * layer(network.value, h)).sum(0)
    norm = network.classifier[0]
    scaled = (pooled - norm.running_mean.double().numpy()) / np.sqrt(norm.running_var.double().numpy() + norm.eps)
    activated = np.maximum(0, scaled * norm.weight.detach().double().numpy() + norm.bias.detach().double().numpy())
    return softmax(layer(network.classifier[3], activated))


def d_single(network, x, gate):
    p = decisions(network.module, hidden(network, x)[1], gate)
    return p / p.sum()


def d_multi(network, x, gate):
    lower, upper = hidden(network, x)
    both = np.concatenate([decisions(network.first, lower, gate), decisions(network.second, upper, gate)])
    return softmax(layer(network.classifier, both))


def cnn_ap(network, x, gate):
    """Equation (9), weighed by the gates."""
    p = np.average(softmax(layer(network.classifier, hidden(network, x)[1])), axis=0, weights=gate)
    return p / p.sum()


def cnn_mp(network, x, gate):
    """Equation (8)."""
    p = softmax(layer(network.classifier, hidden(network, x)[1]))[gate > 0].max(0)
    return p / p.sum()


WRITTEN_OUT = {"feature-att": feature_att, "d-single": d_single, "d-multi": d_multi, "cnn-ap": cnn_ap, "cnn-mp": cnn_mp}


@pytest.mark.parametrize("name", TITLES)
@given(segments=st.integers(1, 40), seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=30)
def test_every_network_on_bags_is_its_equations_written_out(name, segments, seed):
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    network = bag_network(name, 16, 5, features=12).double().eval()
    x, gate = rng.normal(size=(segments, 16)), rng.random(segments) * (rng.random(segments) > 0.3)
    gate[0] = 1
    ours = network(torch.from_numpy(x)[None], torch.from_numpy(gate)[None]).softmax(-1)[0].detach().numpy()
    assert ours == pytest.approx(WRITTEN_OUT[name](network, x, gate), abs=1e-6)


@pytest.mark.parametrize("name", TITLES)
@torch.no_grad()
def test_a_masked_segment_takes_no_part(name):
    network = bag_network(name, 16, 5, features=12).eval()
    x, gate = torch.randn(1, 8, 16), torch.ones(1, 8)
    gate[0, 5:] = 0
    padded = network(x, gate)
    assert torch.allclose(padded, network(x[:, :5], gate[:, :5]), atol=1e-6)


@pytest.mark.parametrize("name", TITLES)
def test_gradients_reach_every_parameter(name):
    cnn, network = SegCNN(4, SIZES["tiny"], 8), bag_network(name, 8, 4, features=12)
    output = cnn(torch.randn(3, frames_for(5), 64))
    loss = network(output.embeddings, torch.ones(3, 5)).square().sum()
    (loss + output.emotion_logits.square().sum() + output.speech_logits.square().sum()).backward()
    for part, parameter in [*cnn.named_parameters(), *network.named_parameters()]:
        assert parameter.grad is not None, part
        assert parameter.grad.isfinite().all(), part


@pytest.mark.parametrize("kind", [SegCNN, PlainCNN])
@pytest.mark.parametrize("name", TITLES)
def test_every_network_on_bags_exports_to_the_contract(name, kind):
    torch.manual_seed(1)
    cnn, network = kind(3, SIZES["tiny"], 8), bag_network(name, 8, 3, features=12)
    step = StreamingStep(cnn, network, 1.0).eval()
    with torch.no_grad():
        cnn.speech[2].bias.fill_(2.0)
    assert verify(export(step, replace(METADATA, window=10)), step, [sound(3.0)]) < 1e-5


def test_the_gate_is_closed_up_to_one_half_and_open_at_one():
    assert speech_gate(torch.tensor([0.0, 0.3, 0.5, 0.75, 1.0])).tolist() == [0, 0, 0, 0.5, 1]
