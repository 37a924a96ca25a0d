"""tools/measure_ensemble.py on cases made by hand."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import soundfile
from conftest import ROOT

from rtser.testing import tiny_model

pytest.importorskip("rtser_train")
sys.path.insert(0, str(ROOT / "tools"))
import measure_ensemble


def test_the_mean_is_that_of_the_logarithms():
    models = np.array([[[0.9, 0.1]], [[0.1, 0.4]]], np.float32)
    assert measure_ensemble.mean_of(models)[0] == pytest.approx([0.3, 0.2])


def test_a_file_without_a_decision_is_wrong():
    models = np.array([[[0.0, 0.0], [0.2, 0.8]]] * 2, np.float32)
    said = measure_ensemble.mean_of(models)
    assert not said[0].any()
    assert measure_ensemble.accuracy(np.array([0, 1]), said) == 50


def test_a_file_too_short_for_a_segment_has_no_decision():
    assert not measure_ensemble.last_decision(tiny_model(), np.zeros(1_000, np.float32)).any()


def test_it_prints_each_model_and_their_mean(tmp_path, monkeypatch, capsys):
    rng, rows = np.random.default_rng(0), ["path,emotion,speaker"]
    for number, emotion in enumerate(["angry", "sad", "sad"]):
        soundfile.write(tmp_path / f"{number}.wav", rng.normal(0, 0.1, 32_000), 16_000)
        rows.append(f"{number}.wav,{emotion},eve")
    (tmp_path / "mine.csv").write_text("\n".join(rows))
    monkeypatch.setattr(measure_ensemble.rtser, "load", lambda name: tiny_model(seed=int(name)))
    monkeypatch.setattr(sys, "argv", ["x", f"mine={tmp_path / 'mine.csv'}", "--model", "1", "--model", "2"])
    measure_ensemble.main()
    titles = [line.split("\t")[0] for line in capsys.readouterr().out.splitlines()]
    assert titles == ["UA %", "1", "2", "mean of the models"]


def test_models_with_different_labels_are_refused(monkeypatch, capsys):
    labels = {"1": ("angry", "neutral", "sad"), "2": ("angry", "happy", "sad")}
    monkeypatch.setattr(measure_ensemble.rtser, "load", lambda name: tiny_model(labels=labels[name]))
    monkeypatch.setattr(sys, "argv", ["x", "mine=here", "--model", "1", "--model", "2"])
    with pytest.raises(SystemExit):
        measure_ensemble.main()
    assert "the models have different labels" in capsys.readouterr().err
