"""The baselines: random forests on pooled embeddings, and the paper's zero padding, each against plain numpy."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from conftest import sound
from hypothesis import given, settings
from hypothesis import strategies as st
from rtser_train.config import Experiment
from rtser_train.data.bags import Bag
from rtser_train.data.corpora import Recording
from rtser_train.data.folds import Fold, speaker
from rtser_train.evaluation.baseline import BaselineInput
from rtser_train.evaluation.random_forest import TREES, random_forest
from rtser_train.export.package import streamable
from rtser_train.fitting.embeddings import Embedded
from rtser_train.fitting.stage2 import decide, prepared, windows
from rtser_train.networks.randomness import initialise
from rtser_train.registry import BASELINES, HEADS
from rtser_train.run import Run
from sklearn.ensemble import RandomForestClassifier

from rtser.errors import InputError
from rtser.settings import checked


def embedded(seed, segments, features=6):
    rng = np.random.default_rng(seed)
    bag = Bag(
        Recording(Path("x"), "c", "s", "sad", ""),
        seed % 3,
        np.ones(segments, np.float32),
        (lambda: np.zeros((2, 64), np.float32),),
    )
    gate = rng.random(segments).astype(np.float32) * (rng.random(segments) > 0.4)
    values = torch.from_numpy(rng.normal(size=(segments, features)).astype(np.float32))
    return Embedded(bag, values, torch.from_numpy(gate.astype(np.float32)), torch.full((segments, 3), 1 / 3))


@given(st.integers(0, 10_000), st.integers(1, 40))
@settings(max_examples=50, deadline=None)
def test_bag_vectors_are_equation_7_over_the_spoken_segments(seed, segments):
    one = embedded(seed, segments)
    x, gate = one.embeddings.numpy().astype(np.float64), one.gate.numpy().astype(np.float64)
    largest, mean = (BASELINES.get(name).vectors([one])[0] for name in ("cnn-max-rf", "cnn-avg-rf"))
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
    network = HEADS.get("feature-att")(6, 3, 8, 0.4).eval()
    initialise(network, torch.Generator().manual_seed(0))
    one = embedded(1, 5)
    one.gate[:] = 1
    alone = network(one.embeddings.unsqueeze(0), one.gate.unsqueeze(0))
    (masked,), (zeros,) = prepared([one], an_experiment("masked")), prepared([one], an_experiment("zeros"))
    assert torch.allclose(decide(network, [masked], 10).logits, alone, atol=1e-6)
    assert not torch.allclose(decide(network, [zeros], 10).logits, alone, atol=1e-3)


def test_bags_padded_with_zeros_are_always_seen_whole():
    bags = prepared([embedded(seed, 3 + seed) for seed in range(12)], an_experiment("zeros"))
    x, gate, _ = windows(bags, 10, np.random.default_rng(0), whole=True)
    assert (gate == 1).all()
    assert torch.equal(x, torch.stack([bag.embeddings for bag in bags]))


def test_a_run_with_the_papers_padding_is_not_exported(tmp_path):
    run = Run.create(an_experiment("zeros"), tmp_path, {1: ["1"]})
    with pytest.raises(InputError, match=r"train with attention\.padding: masked"):
        streamable(run, run.fold(1, "1"), "feature-att")


def a_fold(tmp_path, corpora=("c", "d"), emotions=3):
    """A fold of noises: one training and one test recording of each emotion and corpus."""

    def bag(part, corpus, label):
        path = tmp_path / f"{part}-{corpus}-{label}.wav"
        soundfile.write(path, sound(1.0, seed=label, level=0.02 + 0.05 * label), 16_000)
        recording = Recording(path, corpus, part, "sad", "")
        return Bag(recording, label, np.ones(1, np.float32), (lambda: np.zeros((32, 64), np.float32),))

    parts = [[bag(part, corpus, label) for corpus in corpora for label in range(emotions)] for part in ("a", "b")]
    return Fold("1", train=parts[0], validation=[], test=parts[1], unit=speaker)


@pytest.mark.parametrize("name", BASELINES.names)
def test_every_baseline_predicts_a_distribution_for_each_test_utterance(name, tmp_path):
    fold, baseline = a_fold(tmp_path), BASELINES.get(name)
    baseline.check(fold)
    train, test = (
        [replace(embedded(seed, 4), bag=bag) for seed, bag in enumerate(part)] for part in (fold.train, fold.test)
    )
    predicted = baseline.predict(BaselineInput(fold, train, test, emotions=3, seed=1))
    assert predicted.shape == (6, 3)
    assert predicted.sum(1).tolist() == pytest.approx([1.0] * 6, abs=1e-5)


@pytest.mark.parametrize("name", BASELINES.names)
def test_only_predictions_that_are_probabilities_are_called_so(name):
    assert BASELINES.get(name).probabilistic == ("svm" not in name)


def test_an_svm_for_each_corpus_needs_two_emotions_of_each(tmp_path):
    with pytest.raises(InputError, match="fewer than two emotions of c to train on"):
        BASELINES.get("egemaps-svm-corpus").check(a_fold(tmp_path, emotions=1))


def test_an_svm_for_each_corpus_does_not_need_emotions_of_a_corpus_that_is_not_tested(tmp_path):
    fold = a_fold(tmp_path)
    bursts = [replace(bag, label=-1, recording=replace(bag.recording, corpus="bursts")) for bag in fold.train]
    BASELINES.get("egemaps-svm-corpus").check(replace(fold, train=[*fold.train, *bursts]))


@pytest.mark.parametrize("name", ["egemaps-svm", "egemaps-svm-corpus"])
def test_a_missing_opensmile_is_noticed_before_training(name, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "opensmile", None)
    with pytest.raises(ModuleNotFoundError, match="opensmile"):
        BASELINES.get(name).check(a_fold(tmp_path))
