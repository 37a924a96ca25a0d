"""The model that an adaptation begins with."""

from __future__ import annotations

import json

import onnx
import pytest
import torch
import yaml
from conftest import ROOT
from rtser_train.adapting.recipe import experiment_of
from rtser_train.config import Experiment, load_experiment
from rtser_train.export.load import make_step
from rtser_train.export.onnx_export import export
from rtser_train.export.package import describe
from rtser_train.export.start import read_start, start_of
from rtser_train.fitting.calibration import Calibration
from rtser_train.fitting.stage1 import segment_network
from rtser_train.settings import Features
from training.tiny_networks import TINY_NETWORKS

from rtser.engine.contract import METADATA_KEY
from rtser.errors import InputError, ModelError
from rtser.settings import checked
from rtser.testing import METADATA

NETWORKS = TINY_NETWORKS | {"context": 10, "energy_floor": 1e-10}


@pytest.fixture(scope="module")
def content():
    torch.manual_seed(0)
    step = make_step(NETWORKS, 3, Calibration(1.5))
    return export(
        step,
        METADATA.model_copy(update={"networks": NETWORKS, "calibration": {"temperature": 1.5}, "corpora": ("old",)}),
    )


@pytest.fixture
def a_file(content, tmp_path):
    path = tmp_path / "start.onnx"
    path.write_bytes(content)
    return path


def changed(path, **changes):
    """The file with other metadata."""
    model = onnx.load(path)
    (stored,) = [one for one in model.metadata_props if one.key == METADATA_KEY]
    stored.value = json.dumps(json.loads(stored.value) | changes)
    onnx.save(model, path)
    return path


def test_the_settings_of_an_adaptation_come_from_the_file(a_file):
    start = read_start(a_file)
    experiment = experiment_of(start, "mine", "calls", {"cross": "angry"}, "fans")
    assert experiment.emotions == ["angry", "neutral", "sad"]
    assert experiment.features.energy_floor == 1e-10
    assert experiment.attention.window == METADATA.window
    assert experiment.joint.context == 10
    assert experiment.licence == METADATA.licence
    assert experiment.sources == ["calls", "fans"]
    assert experiment.label("calls", "cross") == 0
    segment_network(experiment).load_state_dict(start.networks.cnn.state_dict())


def test_the_shipped_model_can_be_adapted():
    assert read_start(ROOT / "rtser" / "models" / "default.onnx").size == "edge-wide"


def test_a_merge_into_an_emotion_that_the_model_lacks_is_refused(a_file):
    with pytest.raises(InputError, match="merge: a -> bored, but bored is not among the emotions"):
        experiment_of(read_start(a_file), "mine", "calls", {"a": "bored"}, None)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"networks": {}}, "does not say how its networks are made; name a file that rtser export wrote"),
        ({"calibration": {}}, "cannot be loaded into torch .*; export its run again"),
        ({"networks": NETWORKS | {"widths": [4, 8, 8, 15]}}, "cannot be loaded into torch"),
        ({"contract": 1}, "version 1 of the model contract .*rtser export OLD"),
    ],
)
def test_a_file_that_lacks_what_is_needed_is_refused_with_the_remedy(changes, problem, a_file):
    with pytest.raises(ModelError, match=f"start.onnx cannot be started from: .*{problem}"):
        read_start(changed(a_file, **changes))


def test_stage_1_begins_with_its_segment_network(a_file, tmp_path):
    settings = {"network": NETWORKS["segment_network"], "size": "tiny", "embedding": NETWORKS["embedding"]}
    content = {"name": "x", "emotions": ["bored", "sad"], "corpora": ["c"], "features": {"energy_floor": 1e-10}}
    file = tmp_path / "x.yaml"
    file.write_text(yaml.safe_dump(content | {"cnn": settings | {"start": str(a_file)}}))
    experiment = load_experiment(file)
    its = read_start(a_file).networks.cnn.state_dict()
    assert all(torch.equal(value, its[name]) for name, value in start_of(experiment).state_dict().items())
    other = experiment.model_copy(update={"features": Features()})
    with pytest.raises(InputError, match=r"has 1e-10 where features.energy_floor is .*; set features.energy"):
        start_of(other)
    known = experiment.model_copy(update={"corpora": ["old"]})
    with pytest.raises(InputError, match=r"was trained on old, whose speakers would be tested on"):
        start_of(known)
    about = describe(experiment, "feature-att", {}, Calibration(1.0))
    assert about.corpora == ("old", "c")
    assert about.measures["began with"]["sha256"] == experiment.cnn.start_sha256
    changed(a_file, name="another")
    with pytest.raises(InputError, match="another file than when the run was begun"):
        start_of(experiment)
    assert start_of(checked(Experiment, content, "x")) is None


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "x.onnx").write_bytes(b"no model")
    with pytest.raises(ModelError, match=r"x\.onnx cannot be started from: it is not a model file of rtser"):
        read_start(tmp_path / "x.onnx")
