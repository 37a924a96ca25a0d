"""The baselines: random forests on pooled embeddings, and the paper's zero padding, each against plain numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from rtser_train.config import Experiment
from rtser_train.data.bags import Bag
from rtser_train.data.corpora import Utterance
from rtser_train.evaluation.baselines import TREES, bag_vectors, random_forest
from rtser_train.export.package import streamable
from rtser_train.fitting.stage1 import Embedded
from rtser_train.fitting.stage2 import decide, prepared, windows
from rtser_train.networks.heads import bag_network
from sklearn.ensemble import RandomForestClassifier

from rtser.errors import InputError
from rtser.settings import checked


def embedded(seed, segments, features=6):
    rng = np.random.default_rng(seed)
    bag = Bag(
        Utterance(Path("x"), "c", "s", "sad", ""),
        seed % 3,
        np.zeros((2, 64), np.float32),
        np.ones(segments, np.float32),
    )
    gate = rng.random(segments).astype(np.float32) * (rng.random(segments) > 0.4)
    values = torch.from_numpy(rng.normal(size=(segments, features)).astype(np.float32))
    return Embedded(bag, values, torch.from_numpy(gate.astype(np.float32)), torch.full((segments, 3), 1 / 3))


@given(st.integers(0, 10_000), st.integers(1, 40))
@settings(max_examples=50, deadline=None)
def test_bag_vectors_are_equation_7_over_the_spoken_segments(seed, segments):
    one = embedded(seed, segments)
    x, gate = one.embeddings.numpy().astype(np.float64), one.gate.numpy().astype(np.float64)
    largest, mean = (bag_vectors(name, [one])[0] for name in ("cnn-max-rf", "cnn-avg-rf"))
    if gate.sum() == 0:
        assert not largest.any()
        assert not mean.any()
        return
    assert largest == pytest.approx(x[gate > 0].max(0), abs=1e-6)
    assert mean == pytest.approx((gate[:, None] * x).sum(0) / gate.sum(), abs=1e-5)


def test_the_forest_is_scikit_learns_and_knows_classes_it_never_saw():
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 2], 30)
    train = (rng.normal(size=(60, 4)) + labels[:, None]).astype(np.float32)
    ours = random_forest(train, labels.tolist(), train[::7], emotions=3, seed=5)
    plain = RandomForestClassifier(TREES, class_weight="balanced", random_state=5).fit(train, labels)
    assert ours[:, [0, 2]].numpy() == pytest.approx(plain.predict_proba(train[::7]), abs=1e-6)
    assert not ours[:, 1].any()


def an_experiment(padding, window=10):
    content = {"name": "x", "emotions": ["a", "b", "c"], "corpora": ["mine"], "cnn": {"embedding": 6}}
    return checked(Experiment, content | {"attention": {"padding": padding, "window": window}}, "x")


@given(st.integers(0, 10_000), st.integers(1, 30))
@settings(max_examples=50, deadline=None)
def test_the_papers_padding_is_the_first_t_segments_then_zeros_that_take_part(seed, segments):
    one = embedded(seed, segments)
    (padded,) = prepared([one], an_experiment("zeros"))
    kept = min(10, segments)
    assert padded.embeddings.shape == (10, 6)
    assert torch.equal(padded.embeddings[:kept], one.embeddings[:kept])
    assert not padded.embeddings[kept:].any()
    assert padded.gate.tolist() == [1.0] * 10


def test_zeros_change_what_is_decided_and_masks_do_not():
    torch.manual_seed(0)
    network = bag_network("feature-att", 6, 3, 8).eval()
    one = embedded(1, 5)
    one.gate[:] = 1
    alone = network(one.embeddings.unsqueeze(0), one.gate.unsqueeze(0))
    (masked,), (zeros,) = prepared([one], an_experiment("masked")), prepared([one], an_experiment("zeros"))
    assert torch.allclose(decide(network, [masked], 10), alone, atol=1e-6)
    assert not torch.allclose(decide(network, [zeros], 10), alone, atol=1e-3)


def test_bags_padded_with_zeros_are_always_seen_whole():
    bags = prepared([embedded(seed, 3 + seed) for seed in range(12)], an_experiment("zeros"))
    x, gate, _ = windows(bags, 10, np.random.default_rng(0), whole=True)
    assert (gate == 1).all()
    assert torch.equal(x, torch.stack([bag.embeddings for bag in bags]))


def test_a_run_with_the_papers_padding_is_not_exported(tmp_path):
    with pytest.raises(InputError, match="train with masked to stream"):
        streamable(an_experiment("zeros"), tmp_path, "feature-att")
