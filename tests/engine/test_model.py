from __future__ import annotations

import copy
import json
import os
import pickle

import numpy as np
import onnx
import pytest
from conftest import rtser
from onnx import TensorProto, helper

from rtser.engine.contract import METADATA_KEY
from rtser.engine.features import SPECIFICATION
from rtser.errors import ArgumentError, ModelError, ProviderError
from rtser.models import load, load_bytes
from rtser.testing import LABELS, tiny_model, tiny_model_bytes


def refused(content, message):
    with pytest.raises(ModelError, match=message) as caught:
        load_bytes(content, "some.onnx")
    assert "some.onnx" in str(caught.value)
    assert "\n" not in str(caught.value)


def changed(change):
    """The tiny model's file after `change` was done to its parsed form."""
    parsed = onnx.load_from_string(tiny_model_bytes())
    change(parsed)
    return parsed.SerializeToString()


def with_metadata(**values):
    parsed = onnx.load_from_string(tiny_model_bytes())
    stored = json.loads(parsed.metadata_props[0].value)
    helper.set_model_props(parsed, {METADATA_KEY: json.dumps(stored | values)})
    return parsed.SerializeToString()


def test_a_model_tells_its_labels_and_where_it_runs():
    model = tiny_model()
    assert model.labels == LABELS
    assert model.execution_provider == "CPUExecutionProvider"
    assert len(model.sha256) == 64


def test_a_step_has_the_shapes_of_the_contract():
    model = tiny_model()
    state = model.initial_state(streams=3, window=7)
    output = model.step(np.zeros((3, 32, 64), np.float32), np.ones(3, np.float32), state)
    assert output.emotions.shape == output.segment_emotions.shape == (3, len(LABELS))
    assert output.speech.shape == output.salience.shape == (3,)
    assert [after.shape for after in output.state] == [before.shape for before in state]


def test_a_gate_of_zero_takes_the_segment_out():
    model = tiny_model()
    segment, state = np.zeros((1, 32, 64), np.float32), model.initial_state(1, 5)
    assert model.step(segment, np.ones(1, np.float32), state).salience[0] > 0
    closed = model.step(segment, np.zeros(1, np.float32), state)
    assert closed.salience[0] == 0
    assert not closed.emotions.any()


@pytest.mark.parametrize("copied", [pickle.dumps, copy.deepcopy])
def test_a_model_says_how_to_have_it_elsewhere(copied):
    with pytest.raises(ArgumentError, match=r"cannot be pickled or copied; load it with rtser\.load"):
        copied(tiny_model())


def test_what_is_no_model_file_is_refused():
    refused(b"this is no model", "not a model file")
    refused(b"", "not a model file")
    refused(tiny_model_bytes()[:-500], "not a model file")


def test_an_onnx_file_of_another_program_is_refused():
    refused(changed(lambda model: model.metadata_props.pop()), "not a model of rtser")


def test_another_contract_version_is_refused():
    refused(with_metadata(contract=2), "version 2 of the model contract")


def test_another_feature_specification_is_refused_naming_what_differs():
    refused(with_metadata(features=SPECIFICATION | {"mel_bins": 40}), "mel_bins differ")


@pytest.mark.parametrize(
    "wrong",
    [
        {"labels": []},
        {"labels": None},
        {"labels": ["a", "a", "a"]},
        {"labels": [1, 2, 3]},
        {"window": 0},
        {"window": 10.5},
        {"window": 10**13},
        {"features": [1]},
        {"measures": [1]},
        {"surplus": 1},
    ],
)
def test_broken_metadata_is_refused(wrong):
    refused(with_metadata(**wrong), "metadata")


def test_labels_that_do_not_fit_the_outputs_are_refused():
    refused(with_metadata(labels=["a", "b"]), "shape")


def test_custom_operators_are_refused():
    def add_custom(model):
        model.graph.node.append(helper.make_node("Evil", ["gate"], ["evil"], domain="com.evil"))
        model.opset_import.append(helper.make_opsetid("com.evil", 1))

    refused(changed(add_custom), "Evil")


def test_data_outside_the_file_is_refused():
    def move_out(model):
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../weights.bin")

    refused(changed(move_out), "not a model file")


def test_a_missing_output_is_refused():
    refused(changed(lambda model: model.graph.output.pop()), "contract")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        load(tmp_path / "none.onnx")


def test_cuda_that_cannot_be_had_is_an_error_and_auto_is_not():
    content = tiny_model_bytes()
    try:
        model = load_bytes(content, provider="cuda")
    except ProviderError as error:
        assert "CUDA was asked for" in str(error)
        assert load_bytes(content, provider="auto").execution_provider == "CPUExecutionProvider"
    else:
        assert model.execution_provider == "CUDAExecutionProvider"


def test_info_prints_all_that_the_file_says(model_path):
    shown = rtser("info", model_path)
    assert shown.returncode == 0
    for expected in ("tiny", *LABELS, "Apache-2.0", "segment_emotions", "energy_floor"):
        assert expected in shown.stdout
    assert json.loads(rtser("info", "--json", model_path).stdout)["labels"] == list(LABELS)


def test_a_step_that_does_not_keep_to_the_contract_is_refused():
    def fix_the_window(model):
        for value in (*model.graph.input, *model.graph.output):
            if value.name.startswith("state_"):
                value.type.tensor_type.shape.dim[1].dim_value = 7

    refused(changed(fix_the_window), "does not run as the contract says")


def test_info_prints_brackets_as_they_are(tmp_path):
    path = tmp_path / "[red]m[bold].onnx"
    path.write_bytes(tiny_model_bytes(limits="[bold]none[/x]"))
    shown = rtser("info", path, env={**os.environ, "COLUMNS": "300"})
    assert shown.returncode == 0, shown.stderr
    assert path.name in shown.stdout
    assert "[bold]none[/x]" in shown.stdout
