from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT

from rtser.errors import InputError
from rtser.features import LOG_FLOOR, MEL_BINS, log_mel, segment_count
from rtser.sources.file import read_audio
from train.bags import Bag, load_bags, speech_share
from train.batches import augment, balance, crops, stack
from train.calibrate import temperature
from train.config import CONFIGS, Augment, load_experiment
from train.corpora import Utterance
from train.measures import by_corpus, expected_calibration_error, unweighted_accuracy

DEMO = ROOT / "rtser" / "samples" / "demo.flac"
NOTHING = Augment(
    gain_db=0,
    noise_probability=0,
    frequency_warp=0,
    time_warp=0,
    tilt_db=0,
    mask_bins=0,
    telephone_probability=0,
)


def a_bag(segments=20, label=0, corpus="c", level=-8.0):
    frames = np.random.default_rng(segments).normal(level, 1, (32 + 6 * (segments - 1), MEL_BINS)).astype(np.float32)
    speech = np.zeros(segments, np.float32)
    speech[segments // 2 :] = 1
    return Bag(Utterance(Path("x.wav"), corpus, "s", "sad", ""), label, frames, speech)


def test_a_bag_is_the_live_features_and_the_share_of_speech(tmp_path):
    pair = (Utterance(DEMO, "demo", "synthetic", "sad", ""), 3)
    (bag,) = load_bags([pair], jobs=1, folder=tmp_path)
    (again,) = load_bags([pair], jobs=1, folder=tmp_path)
    samples = read_audio(DEMO)
    assert np.array_equal(bag.frames, log_mel(samples))
    assert np.array_equal(again.frames, bag.frames)
    assert np.array_equal(again.speech, bag.speech)
    assert bag.segments == segment_count(len(samples))
    assert bag.label == 3


def test_the_detector_hears_speech_and_no_speech():
    samples = read_audio(DEMO)
    share = speech_share(samples)
    assert share[:6].max() < 0.2  # the sample begins with 0.9 s of silence
    assert (share > 0.8).mean() > 0.5


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "a.wav").write_text("no audio")
    with pytest.raises(InputError, match=r"training data: .*a\.wav"):
        list(load_bags([(Utterance(tmp_path / "a.wav", "c", "s", "sad", ""), 0)], jobs=1, folder=tmp_path / "cache"))


def test_padding_is_floor_without_speech_and_not_present():
    batch = stack([a_bag(5), a_bag(30)], segments=12)
    assert batch.log_mel.shape == (2, 32 + 6 * 11, MEL_BINS)
    assert batch.present.sum(1).tolist() == [5, 12]
    assert (batch.log_mel[0, 32 + 6 * 4 :] == LOG_FLOOR).all()
    assert batch.speech[0, 5:].sum() == 0


def test_random_crops_reach_into_the_speech():
    rng = np.random.default_rng(0)
    assert all(stack([a_bag(60)], 20, rng).speech.sum() >= 9 for _ in range(50))


def test_corpora_and_emotions_are_drawn_in_balance():
    bags = [a_bag(label=0)] * 90 + [a_bag(label=1)] * 10 + [a_bag(label=0, corpus="d")] * 10
    weights = balance(bags)
    assert weights.sum() == pytest.approx(1)
    assert weights[:90].sum() == pytest.approx(0.25)
    assert weights[90:100].sum() == pytest.approx(0.25)
    assert weights[100:].sum() == pytest.approx(0.5)


def test_an_epochs_batches_follow_from_its_seed():
    def epoch(seed):
        rng = np.random.default_rng(seed)
        return [batch.log_mel for batch, _ in crops([a_bag(30)] * 8, [a_bag(9, -1)], 10, 4, 16, 0.3, rng)]

    assert all(torch.equal(a, b) for a, b in zip(epoch(1), epoch(1), strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(epoch(1), epoch(2), strict=True))


def augmented(settings, noise=None, bag=None):
    batch = stack([bag or a_bag()] * 4, 10)
    return batch, augment(batch, noise, settings, torch.Generator().manual_seed(0))


def test_augmentation_of_nothing_changes_nothing():
    before, after = augmented(NOTHING)
    assert torch.allclose(before.log_mel, after.log_mel, atol=1e-4)
    assert torch.allclose(before.speech, after.speech, atol=1e-4)


def test_augmentation_keeps_shapes_the_floor_and_the_padding():
    noise = stack([a_bag(level=-10.0)] * 4, 10).log_mel
    before, after = augmented(Augment(), noise, a_bag(6))
    assert after.log_mel.shape == before.log_mel.shape
    assert after.log_mel.min() >= LOG_FLOOR - 1e-5
    assert after.log_mel.isfinite().all()
    assert (after.speech[:, 6:] == 0).all()


def test_noise_is_mixed_at_the_level_asked_for():
    noise = stack([a_bag(level=-2.0)] * 4, 10).log_mel
    settings = NOTHING.model_copy(update={"noise_probability": 0.999999, "noise_snr_db": (10.0, 10.0)})
    before, after = augmented(settings, noise)
    added = (after.log_mel.exp() - before.log_mel.exp()).flatten(1).sum(1)
    ratio_db = 10 * torch.log10(before.log_mel.exp().flatten(1).sum(1) / added)
    assert ratio_db.tolist() == pytest.approx([10.0] * 4, abs=0.1)


def test_unweighted_accuracy_is_the_mean_recall_of_the_classes_present():
    assert unweighted_accuracy([0, 0, 0, 1], [0, 0, 0, 0]) == 0.5
    assert unweighted_accuracy([0, 0, 5], [0, -1, 5]) == 0.75
    assert by_corpus([0, 1, 0], [0, 1, 1], ["a", "a", "b"]) == {"a": 1.0, "b": 0.0, "mean": 0.5}


def test_temperature_mends_overconfidence():
    torch.manual_seed(0)
    logits = torch.randn(4000, 5)
    labels = torch.distributions.Categorical(logits=logits).sample()
    assert temperature(3 * logits, labels) == pytest.approx(3, abs=0.2)
    sure, mended = (scaled.softmax(-1).double().numpy() for scaled in (3 * logits, logits))
    assert expected_calibration_error(mended, labels.numpy()) < 0.03 < expected_calibration_error(sure, labels.numpy())


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIGS.glob("*.yaml")))
def test_every_shipped_configuration_is_valid(name):
    assert load_experiment(Path(name)).name == name


def test_emotions_are_merged_or_left_out():
    experiment = load_experiment(Path("default"))
    assert experiment.label("calm") == experiment.label("neutral") == experiment.emotions.index("neutral")
    assert experiment.label("boredom") is None
    assert experiment.label(None) is None


def test_a_merge_into_no_emotion_is_refused():
    with pytest.raises(InputError, match="bored is not among the emotions"):
        load_experiment(Path("default"), ["merge.calm=bored"])
