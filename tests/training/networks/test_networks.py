"""Segment networks and heads, all that are registered, against their equations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from conftest import sound
from hypothesis import given, settings
from hypothesis import strategies as st
from rtser_train.data.batches import frames_for
from rtser_train.export.onnx_export import export, verify
from rtser_train.export.step import StreamingStep
from rtser_train.fitting.calibration import Calibration
from rtser_train.front_end import log_mel
from rtser_train.networks.bag_network import speech_gate
from rtser_train.networks.randomness import initialise
from rtser_train.registry import HEADS, SEGMENT_NETWORKS
from rtser_train.settings import SIZES

from rtser.engine.contract import segment_count
from rtser.testing import METADATA


def random_numbers(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def a_cnn(name, size="tiny", emotions=6, embedding=24):
    cnn = SEGMENT_NETWORKS.get(name)(emotions, SIZES[size], embedding, 0.3).eval()
    initialise(cnn, torch.Generator().manual_seed(0))
    cnn.mean += -8
    cnn.deviation *= 3
    return cnn


def a_head(name, embedding=16, emotions=5, seed=0):
    head = HEADS.get(name)(embedding, emotions, 12, 0.4).eval()
    initialise(head, torch.Generator().manual_seed(seed))
    return head


def every_network():
    """Each network of the registries, made anew by a call."""
    cnns = [pytest.param(lambda name=name: a_cnn(name), id=name) for name in SEGMENT_NETWORKS.names]
    return [*cnns, *(pytest.param(lambda name=name: a_head(name), id=name) for name in HEADS.names)]


@pytest.mark.parametrize("make", every_network())
def test_the_same_seed_gives_the_same_weights_whatever_the_global_generator(make):
    first = make().state_dict()
    torch.rand(7)
    again = make().state_dict()
    assert all(torch.equal(values, again[name]) for name, values in first.items())


@pytest.mark.parametrize("make", every_network())
def test_all_dropout_draws_from_a_generator_of_its_own(make):
    assert not [one for one in make().modules() if isinstance(one, torch.nn.modules.dropout._DropoutNd)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", SEGMENT_NETWORKS.names)
@torch.no_grad()
def test_one_pass_over_an_utterance_equals_segment_by_segment(name, size, voice):
    cnn, frames = a_cnn(name, size), torch.from_numpy(log_mel(voice[: 16_000 * 3]))
    whole = cnn(frames.unsqueeze(0))
    alone = cnn(torch.stack([frames[6 * k : 6 * k + 32] for k in range(segment_count(16_000 * 3))]))
    assert whole.embeddings.shape == (1, segment_count(16_000 * 3), 24)
    for together, separate in zip(whole, alone, strict=True):
        assert together.shape[1] == segment_count(16_000 * 3)
        assert torch.allclose(together[0], separate[:, 0], atol=1e-5)


def test_the_plain_vgg_is_as_wide_as_segcnn():
    channels = [
        [one.out_channels for one in a_cnn(name).modules() if isinstance(one, torch.nn.Conv2d)]
        for name in ("plain-vgg", "segcnn")
    ]
    assert channels[0] == channels[1]


@pytest.mark.parametrize("name", SEGMENT_NETWORKS.names)
@given(segments=st.integers(1, 80))
@settings(deadline=None, max_examples=20)
@torch.no_grad()
def test_every_hop_adds_one_column(name, segments):
    assert a_cnn(name)(torch.zeros(1, frames_for(segments), 64)).embeddings.shape == (1, segments, 24)


@pytest.mark.parametrize("name", SEGMENT_NETWORKS.names)
@torch.no_grad()
def test_a_segment_depends_on_its_own_frames_alone(name):
    cnn, frames = a_cnn(name, "edge"), random_numbers(1, frames_for(10), 64)
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


@pytest.mark.parametrize("name", WRITTEN_OUT)
@given(segments=st.integers(1, 40), seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=30)
def test_every_head_of_the_paper_is_its_equations_written_out(name, segments, seed):
    rng = np.random.default_rng(seed)
    head = a_head(name, seed=seed).double()
    x, gate = rng.normal(size=(segments, 16)), rng.random(segments) * (rng.random(segments) > 0.3)
    gate[0] = 1
    ours = head(torch.from_numpy(x)[None], torch.from_numpy(gate)[None]).softmax(-1)[0].detach().numpy()
    assert ours == pytest.approx(WRITTEN_OUT[name](head, x, gate), abs=1e-6)


@pytest.mark.parametrize("name", HEADS.names)
@torch.no_grad()
def test_a_segment_contributes_as_many_weights_and_values_as_the_head_says(name):
    head = a_head(name)
    weights, values = head.contributions(random_numbers(2, 7, 16), torch.ones(2, 7))
    assert weights.shape == values.shape == (2, 7, head.features)
    assert head.decide(weights, values).shape == (2, 5)


@pytest.mark.parametrize("name", HEADS.names)
@torch.no_grad()
def test_a_masked_segment_takes_no_part(name):
    head, x, gate = a_head(name), random_numbers(1, 8, 16), torch.ones(1, 8)
    gate[0, 5:] = 0
    padded = head(x, gate)
    assert torch.allclose(padded, head(x[:, :5], gate[:, :5]), atol=1e-6)


@pytest.mark.parametrize("cnn_name", SEGMENT_NETWORKS.names)
@pytest.mark.parametrize("name", HEADS.names)
def test_gradients_reach_every_parameter(name, cnn_name):
    cnn, head = a_cnn(cnn_name, emotions=4, embedding=8).train(), a_head(name, 8, 4).train()
    output = cnn(random_numbers(3, frames_for(5), 64))
    loss = head(output.embeddings, torch.ones(3, 5)).square().sum()
    (loss + output.emotion_logits.square().sum() + output.speech_logits.square().sum()).backward()
    for part, parameter in [*cnn.named_parameters(), *head.named_parameters()]:
        assert parameter.grad is not None, part
        assert parameter.grad.isfinite().all(), part


@pytest.mark.parametrize("cnn_name", SEGMENT_NETWORKS.names)
@pytest.mark.parametrize("name", HEADS.names)
def test_every_head_on_every_segment_network_exports_to_the_contract(name, cnn_name):
    cnn, head = a_cnn(cnn_name, emotions=3, embedding=8), a_head(name, 8, 3, seed=1)
    step = StreamingStep(cnn, head, Calibration(1.0)).eval()
    with torch.no_grad():
        cnn.speech[2].bias.fill_(2.0)
    assert verify(export(step, METADATA.model_copy(update={"window": 10})), step, [sound(3.0)]) < 1e-5


def test_weights_that_vanish_are_the_same_in_the_exported_file():
    cnn, head = a_cnn("segcnn", emotions=3, embedding=8), a_head("feature-att", 8, 3, seed=1)
    with torch.no_grad():
        cnn.speech[2].bias.fill_(2.0)
        head.weight[0].bias.fill_(-25.0)
        head.weight[0].weight.mul_(100.0)
    step = StreamingStep(cnn, head, Calibration(1.0)).eval()
    assert verify(export(step, METADATA.model_copy(update={"window": 10})), step, [sound(3.0)]) < 1e-5


def test_the_gate_is_closed_up_to_one_half_and_open_at_one():
    assert speech_gate(torch.tensor([0.0, 0.3, 0.5, 0.75, 1.0])).tolist() == [0, 0, 0, 0.5, 1]
