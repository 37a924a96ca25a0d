from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT
from rtser_train.config import CONFIGS, Augment, Experiment, Fit, load_experiment
from rtser_train.data.bags import Bag, load_bags, speech_share
from rtser_train.data.batches import augment, balance, crops, stack
from rtser_train.data.corpora import Utterance
from rtser_train.data.experiment_data import utterances
from rtser_train.evaluation.metrics import by_corpus, expected_calibration_error, unweighted_accuracy
from rtser_train.fitting.calibration import temperature
from rtser_train.fitting.fit import fit, running_average
from rtser_train.fitting.fold import best_epochs
from rtser_train.fitting.stage1 import Embedded, align, frame_statistics, score
from rtser_train.fitting.stage2 import decide, windows
from rtser_train.networks.heads import FeatureAttention, heard
from rtser_train.progress import Reporter

from rtser.audio.file import read_audio
from rtser.engine.features import LOG_FLOOR, MEL_BINS, log_mel, segment_count
from rtser.errors import InputError
from rtser.settings import checked

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


def test_a_part_of_a_recording_is_a_bag_of_its_own(tmp_path):
    whole, part = (
        Utterance(DEMO, "demo", "s", "sad", "", start_s=start, end_s=end) for start, end in ((0, None), (2, 5))
    )
    bags = list(load_bags([(whole, 0), (part, 0), (part, 0)], jobs=1, folder=tmp_path))
    samples = read_audio(DEMO)[2 * 16_000 : 5 * 16_000]
    assert np.array_equal(bags[1].frames, log_mel(samples))
    assert np.array_equal(bags[1].frames, bags[2].frames)
    assert bags[0].segments == segment_count(len(read_audio(DEMO)))


def test_a_part_beyond_the_end_of_its_recording_is_named(tmp_path):
    beyond = Utterance(DEMO, "demo", "s", "sad", "", start_s=5, end_s=500)
    with pytest.raises(InputError, match=r"demo\.flac is 19.* s long, and 5 to 500 s lies beyond"):
        list(load_bags([(beyond, 0)], jobs=1, folder=tmp_path))


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


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_configuration_is_sound_and_named_as_its_file(path):
    experiment = load_experiment(path.relative_to(CONFIGS))
    assert experiment.name == path.stem
    assert experiment == load_experiment(path)


def test_a_configuration_changes_what_it_extends_and_nothing_else():
    base, row = (load_experiment(Path(name)) for name in ("casia-random", "rows/casia-d-single"))
    assert row.attention.heads == ["d-single"]
    assert row.cnn == base.cnn
    assert row.protocol == base.protocol
    assert load_experiment(Path("rows/casia-d-single"), ["cnn.fit.epochs=3"]).cnn.fit.epochs == 3


def test_a_table_of_folds_becomes_part_of_the_experiment(tmp_path):
    (tmp_path / "folds.csv").write_text("speaker,fold\nEve,1\nBob,2\n")
    (tmp_path / "x.yaml").write_text(
        "{name: x, emotions: [a, b], corpora: [mine], protocol: {kind: table, table: folds.csv}}"
    )
    assert load_experiment(tmp_path / "x.yaml").protocol.table == {"Eve": "1", "Bob": "2"}


def test_a_table_of_folds_lies_beside_the_configuration_that_names_it(tmp_path):
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "folds.csv").write_text("speaker,fold\nEve,1\nBob,2\n")
    (tmp_path / "base" / "x.yaml").write_text(
        "{name: x, emotions: [a, b], corpora: [mine], protocol: {kind: table, table: folds.csv}}"
    )
    (tmp_path / "y.yaml").write_text("{extends: base/x, name: y}")
    assert load_experiment(tmp_path / "y.yaml").protocol.table == {"Eve": "1", "Bob": "2"}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read as a CSV table"),
        ("speaker;fold\n1;2\n", "the column 'speaker' is missing"),
        ("speaker,fold\nEve,1\nEve,2\n", "Eve stands there more than once"),
    ],
)
def test_a_table_of_folds_that_is_none_is_named(content, complaint, tmp_path):
    if content:
        (tmp_path / "folds.csv").write_text(content)
    table = tmp_path / "folds.csv"
    with pytest.raises(InputError, match=rf"folds\.csv.* {complaint}"):
        load_experiment(Path("ravdess-emobox"), [f"protocol.table={table}"])


class KilledError(Exception):
    """A kill in the middle of an epoch."""


def fitted(checkpoint, break_in_epoch=None):
    """A small regression, fitted for six epochs with dropout; broken off in the middle of one."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 1)
    )

    def losses(epoch):
        torch.manual_seed(epoch)
        for step in range(5):
            if epoch == break_in_epoch and step == 2:
                raise KilledError
            yield (network(torch.randn(16, 4)) - 1).square().mean(), 16

    def validate(averaged):
        return {"mean": -(averaged(torch.ones(2, 4)) - 1).square().mean().item()}

    fit(network, losses, validate, Fit(epochs=6), checkpoint, Reporter())
    return network.state_dict()


def test_a_fit_that_was_killed_goes_on_to_the_same_weights_bit_for_bit(tmp_path):
    unbroken = fitted(tmp_path / "a.pt")
    with pytest.raises(KilledError):
        fitted(tmp_path / "b.pt", break_in_epoch=4)
    resumed = fitted(tmp_path / "b.pt")
    assert all(torch.equal(unbroken[name], resumed[name]) for name in unbroken)
    assert (tmp_path / "a.csv").read_text() == (tmp_path / "b.csv").read_text()


def test_without_validation_a_fit_takes_its_last_epoch(tmp_path):
    network = torch.nn.Linear(1, 1)
    losses = lambda _: iter([(network(torch.ones(1, 1)).square().sum(), 1)])  # noqa: E731
    assert fit(network, losses, None, Fit(epochs=5, patience=1), tmp_path / "a.pt", Reporter(quiet=True)) == []
    state = torch.load(tmp_path / "a.pt")
    assert all(torch.equal(value, state["weights"][name]) for name, value in network.state_dict().items())
    assert len(state["history"]) == 5


def test_the_epochs_are_best_for_the_inner_folds_together():
    assert best_epochs([[0.2, 0.5, 0.4], [0.1, 0.2, 0.9]]) == 3
    assert best_epochs([[0.2, 0.5], [0.1, 0.2, 0.3, 0.2]]) == 3


def test_a_loss_that_is_no_number_ends_the_fit(tmp_path):
    network = torch.nn.Linear(1, 1)
    with pytest.raises(InputError, match="lower the learning rate"):
        fit(
            network,
            lambda _: iter([(network(torch.full((1, 1), torch.nan)).sum(), 1)]),
            lambda _: {"mean": 0.0},
            Fit(),
            tmp_path / "a.pt",
            Reporter(),
        )


def test_a_bin_on_the_floor_throughout_keeps_a_sane_scale():
    bag = a_bag()
    bag.frames[:, 50:] = LOG_FLOOR
    mean, deviation = frame_statistics([bag, bag])
    assert deviation[50:].tolist() == pytest.approx([0.1] * 14)
    assert mean[:50].numpy() == pytest.approx(bag.frames[:, :50].mean(0), abs=1e-4)
    assert deviation[:50].numpy() == pytest.approx(bag.frames[:, :50].std(0), abs=1e-3)


def embedded(embeddings, gate=None):
    segments = len(embeddings)
    gate = torch.ones(segments) if gate is None else torch.tensor(gate)
    return Embedded(a_bag(segments), embeddings, gate, torch.full((segments, 2), 0.5))


def test_alignment_brings_one_embedding_space_into_another():
    torch.manual_seed(0)
    truth, other = torch.randn(3, 200, 6).abs(), torch.randn(6, 6)
    seen, held_out = [embedded(part @ other) for part in truth[:2]], [embedded(truth[2] @ other)]
    (aligned,) = align(held_out, seen, [embedded(part) for part in truth[:2]])
    assert (aligned.embeddings - truth[2]).abs().mean() < 0.1 * (held_out[0].embeddings - truth[2]).abs().mean()


def test_windows_are_masked_beyond_what_was_drawn():
    rng = np.random.default_rng(0)
    for _ in range(50):
        embeddings, gate, _ = windows([embedded(torch.ones(9, 4)), embedded(torch.ones(40, 4))], 20, rng)
        assert ((embeddings.sum(-1) > 0) == (gate > 0)).all()
        assert (gate.sum(1) >= 1).all()
        assert gate[0].sum() <= 9


@pytest.mark.parametrize(
    ("gate", "enough"),
    [([1, 1, 1, 0, 0, 0, 0, 0], True), ([1, 1, 0.9, 0, 0, 0, 0, 0], False), ([1, 1, 0, 0], True), ([0, 0], False)],
)
def test_a_window_is_decided_on_with_three_segments_of_speech_or_half_of_a_short_one(gate, enough):
    assert heard(torch.tensor([gate], dtype=torch.float32)).tolist() == [enough]


def test_the_last_window_with_enough_speech_is_the_one_that_counts():
    network = FeatureAttention(4, 2)
    torch.manual_seed(1)
    speech = torch.randn(10, 4)
    alone = embedded(speech)
    trailing = embedded(torch.cat([speech, torch.randn(30, 4)]), [1.0] * 10 + [0.0] * 30)
    silent = embedded(speech, [0.0] * 10)
    logits = decide(network, [alone, trailing, silent], window=10)
    assert logits[2].isnan().all()
    assert score([silent], logits[2:])["mean"] == 0
    expected = network(speech[-3:].unsqueeze(0), torch.ones(1, 3))[0]
    assert torch.allclose(logits[1], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("emotion", "message"),
    [("Joy", "corpus mine has no utterance of angry, happy"), ("angry", "no corpus has an utterance of happy")],
)
def test_emotions_that_the_corpora_lack_are_named(tmp_path, emotion, message):
    shutil.copy(DEMO, tmp_path / "a.flac")
    (tmp_path / "t.csv").write_text(f"path,emotion,speaker\na.flac,{emotion},Eve\n")
    experiment = checked(Experiment, {"name": "x", "emotions": ["angry", "happy"], "corpora": ["mine"]}, "x")
    with pytest.raises(InputError, match=message):
        utterances(experiment, {"mine": tmp_path / "t.csv"})


def test_the_running_average_forgets_the_start_within_an_epoch():
    averaged, update = [torch.zeros(3)], running_average(0.99)
    for step in range(60):
        update(averaged, [torch.ones(3)], torch.tensor(step))
    assert averaged[0].min() > 0.99
    for step in range(60, 2000):
        update(averaged, [torch.full((3,), float(step % 2))], torch.tensor(step))
    assert averaged[0].tolist() == pytest.approx([0.5] * 3, abs=0.01)
