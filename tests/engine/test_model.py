from __future__ import annotations

import copy
import json
import os
import pickle

import numpy as np
import onnx
import pytest
from conftest import rtser, sound
from onnx import TensorProto, helper

from rtser.engine.contract import METADATA_KEY
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


def silent_step(model, streams=3, window=7, **more):
    state = model.initial_state(streams, window)
    return model.step(np.zeros((streams, 960), np.float32), np.zeros(streams, np.float32), state, **more)


def test_a_step_has_the_shapes_of_the_contract():
    model = tiny_model()
    output = silent_step(model)
    assert output.emotions.shape == output.segment_emotions.shape == (3, len(LABELS))
    assert output.speech.shape == output.salience.shape == (3,)
    before = model.initial_state(streams=3, window=7)
    assert [after.shape for after in output.state] == [one.shape for one in before]
    assert output.extras == {}


def test_the_embedding_and_the_frames_come_on_demand():
    extras = silent_step(tiny_model(), extras=("log_mel", "embedding")).extras
    assert extras["log_mel"].shape == (3, 6, 64)
    assert extras["embedding"].shape[0] == 3


def hops(model, samples, restarts=()):
    """The outputs of one stream's hops, restarted before some of them."""
    state, outputs = model.initial_state(1, 10), []
    for number, start in enumerate(range(0, len(samples), 960)):
        restart = np.array([number in restarts], np.float32)
        outputs.append(model.step(samples[None, start : start + 960], restart, state))
        state = outputs[-1].state
    return outputs


def test_the_first_five_hops_leave_no_trace():
    outputs = hops(tiny_model(), sound(0.6)[: 10 * 960])
    for output in outputs[:5]:
        assert not any(value.any() for value in output[:4])
        rings = dict(zip(tiny_model().states, output.state, strict=True))
        assert not rings["state_weights"].any()
    assert outputs[5].speech[0] > 0


def test_a_restart_forgets_the_utterance_and_keeps_the_stream():
    model, samples = tiny_model(), sound(3.0)[: 50 * 960]
    plain, restarted = hops(model, samples), hops(model, samples, restarts=[30])
    for before, after in zip(plain[:30], restarted[:30], strict=True):
        assert np.array_equal(before.emotions, after.emotions)
    for before, after in zip(plain[30:], restarted[30:], strict=True):
        assert np.array_equal(before.speech, after.speech)
        assert np.array_equal(before.segment_emotions, after.segment_emotions)
    assert np.allclose(restarted[30].emotions, restarted[30].segment_emotions * (restarted[30].salience[:, None] > 0))


def test_one_row_of_a_batch_restarts_alone():
    model, samples = tiny_model(), np.stack([sound(1.0), sound(1.0)])[:, : 16 * 960]
    state = model.initial_state(2, 10)
    for start in range(0, samples.shape[1], 960):
        restart = np.array([0, start == 12 * 960], np.float32)
        output = model.step(samples[:, start : start + 960], restart, state)
        state = output.state
    kept, forgot = dict(zip(model.states, state, strict=True))["state_weights"]
    assert kept[:6].any()
    assert not forgot[:6].any()


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
    refused(with_metadata(contract=1), r"version 1 of the model contract.*rtser export OLD\.onnx -o NEW\.onnx")


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
        {"states": [1]},
        {"sample_rate": 8000},
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
        model.graph.node.append(helper.make_node("Evil", ["restart"], ["evil"], domain="com.evil"))
        model.opset_import.append(helper.make_opsetid("com.evil", 1))

    refused(changed(add_custom), "Evil")


def test_data_outside_the_file_is_refused():
    def move_out(model):
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="../weights.bin")

    refused(changed(move_out), "cannot load it")


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
    for expected in ("tiny", *LABELS, "Apache-2.0", "state_tail"):
        assert expected in shown.stdout
    assert "segment_emotions" not in shown.stdout
    assert "segment_emotions" in rtser("info", model_path, "--tensors").stdout
    assert json.loads(rtser("info", "--json", model_path).stdout)["labels"] == list(LABELS)


def test_a_window_that_is_not_the_users_to_set_is_refused():
    def fix_the_window(model):
        for value in (*model.graph.input, *model.graph.output):
            if value.name.startswith(("state_weights", "state_values")):
                value.type.tensor_type.shape.dim[1].dim_value = 7

    refused(changed(fix_the_window), "none of its states has a dimension W")


def test_info_prints_brackets_as_they_are(tmp_path):
    path = tmp_path / "[red]m[bold].onnx"
    path.write_bytes(tiny_model_bytes(limits="[bold]none[/x]"))
    shown = rtser("info", path, env={**os.environ, "COLUMNS": "300"})
    assert shown.returncode == 0, shown.stderr
    assert path.name in shown.stdout
    assert "[bold]none[/x]" in shown.stdout
