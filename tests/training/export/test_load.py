"""A model file back in torch, and a file of contract 1 as one of today's."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import onnx
import pytest
import torch
from conftest import ROOT, rtser, sound
from onnx import helper, numpy_helper
from rtser_train.export.load import check_conversion, convert, load_step, make_step
from rtser_train.export.onnx_export import export, verify
from rtser_train.fitting.calibration import Calibration
from training.tiny_networks import TINY_NETWORKS

import rtser as library
from rtser.engine.contract import METADATA_KEY
from rtser.errors import ModelError
from rtser.models import load_bytes
from rtser.models.raw import raw_outputs
from rtser.testing import METADATA, tiny_model_bytes

NETWORKS = TINY_NETWORKS
WITH_CONTEXT = NETWORKS | {"context": 10, "level": True, "energy_floor": 1e-10}
EMOTIONS = 3


def a_step(networks=NETWORKS):
    """Small networks whose batch norms have seen something, so that they change values."""
    torch.manual_seed(0)
    step = make_step(networks, EMOTIONS, Calibration(1.23456789, 0.3 if "context" in networks else 0.0))
    for module in step.modules():
        if isinstance(module, (torch.nn.BatchNorm1d, torch.nn.BatchNorm2d)):
            module.running_mean.uniform_(-0.5, 0.5)
            module.running_var.uniform_(0.5, 2)
    step.cnn.speech[2].bias.data += 3
    return step.eval()


@cache
def a_file(with_context=False):
    """The file of `a_step`."""
    networks = WITH_CONTEXT if with_context else NETWORKS
    step = a_step(networks)
    about = {"networks": networks, "calibration": step.calibration._asdict()}
    return export(step, METADATA.model_copy(update=about))


@pytest.mark.parametrize("with_context", [False, True])
def test_a_file_loads_back_into_torch_with_every_weight_and_statistic(with_context):
    networks = WITH_CONTEXT if with_context else NETWORKS
    step = a_step(networks)
    loaded, metadata = load_step(a_file(with_context))
    assert metadata.networks == networks
    assert loaded.calibration == step.calibration
    state = loaded.state_dict()
    for name, value in step.state_dict().items():
        if "num_batches" not in name:
            assert torch.equal(state[name], value), name
    assert verify(a_file(with_context), loaded, [sound(3.0)]) < 1e-5


def test_the_context_is_forgotten_at_a_restart_and_at_no_other_time():
    model = load_bytes(a_file(with_context=True), provider="cpu")
    (state,) = [one for one in model.metadata.states if one.name == "state_context"]
    assert state.reset == "utterance"
    assert raw_outputs(model, sound(3.0), 1).emotions[-1] != pytest.approx(
        raw_outputs(model, sound(3.0), 1, [30]).emotions[-1], abs=1e-6
    )


def test_a_model_hears_below_the_usual_floor_if_its_own_is_lower():
    quiet = sound(2.0, level=1e-5)
    low, usual = (
        a_step(networks).front_end(torch.from_numpy(quiet[None, 8000:9200])) for networks in (WITH_CONTEXT, NETWORKS)
    )
    assert (usual == usual.min()).float().mean() > 0.9
    assert low.std() > 0.5


def test_the_first_five_hops_of_an_exported_file_leave_no_trace():
    model = load_bytes(a_file(), provider="cpu")
    state, samples = model.initial_state(1, 10), sound(1.0)
    for hop in range(5):
        part = samples[None, hop * 960 : (hop + 1) * 960]
        output = model.step(part, np.ones(1, np.float32), state, extras=("embedding", "log_mel"))
        assert not any(value.any() for value in (*output[:4], output.extras["embedding"]))
        assert not any(value.any() for value in output.state[-3:])
        assert output.extras["log_mel"].any()
        state = output.state


def test_a_file_that_gives_no_numbers_is_refused():
    step, content = a_step(), a_file()
    step.calibration = Calibration(float("nan"))
    with pytest.raises(ModelError, match="differs from torch by nan"):
        verify(content, step, [sound(3.0)])


def contract_1(step):
    """The parts of a contract-1 file that the conversion reads: folded weights, and metadata."""
    state, weights = step.state_dict(), {}
    for number in (0, 1, 4, 7, 10):
        conv, norm = f"cnn.columns.{number}.0.weight", f"cnn.columns.{number}.1"
        scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + 1e-5).sqrt()
        weights[conv] = state[conv] * scale[:, None, None, None]
        weights[f"{conv}_bias"] = state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale
    weights |= {name: value for name, value in state.items() if name.startswith("attention.") and value.ndim}
    for name in ("cnn.penultimate.1", "cnn.emotion.1", "cnn.speech.0", "cnn.speech.2"):
        weights[f"{name}.bias"] = state[f"{name}.bias"]
        weights[f"val_{len(weights)}"] = state[f"{name}.weight"].T
    weights |= {name: state[name] for name in ("cnn.mean", "cnn.deviation")}
    tensors = [numpy_helper.from_array(np.ascontiguousarray(value.numpy()), name) for name, value in weights.items()]
    model = helper.make_model(helper.make_graph([], "old", [], [], tensors))
    about = {"contract": 1, "name": "old", "labels": ["angry", "neutral", "sad"], "window": 10, "min_confidence": 0.4}
    about |= {"architecture": "", "corpora": [], "licence": "", "measures": {}, "limits": ""}
    about["calibration"] = {"temperature": step.calibration.temperature}
    helper.set_model_props(model, {METADATA_KEY: json.dumps(about)})
    return model.SerializeToString()


def test_a_file_of_contract_1_is_converted_with_the_same_decisions():
    step = a_step()
    content = convert(contract_1(step))
    assert verify(content, step, [sound(3.0)]) < 1e-5
    _, metadata = load_step(content)
    assert (metadata.name, metadata.window, metadata.label_threshold) == ("old", 10, 0.4)


def test_the_states_say_what_they_are_and_what_resets_them():
    states = {state.name: state for state in load_step(a_file())[1].states}
    assert {name for name, state in states.items() if state.reset == "utterance"} == {
        "state_gates",
        "state_weights",
        "state_values",
    }
    assert "state_tail" in states


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no model", "not a model file of rtser"),
        (tiny_model_bytes(), "does not say how its networks are made"),
    ],
)
def test_what_cannot_be_loaded_is_one_sentence(content, words):
    with pytest.raises(ModelError, match=words):
        load_step(content)


def test_a_file_of_this_contract_needs_no_conversion():
    with pytest.raises(ModelError, match="only files of contract 1 are converted"):
        convert(tiny_model_bytes())


def test_an_exported_graph_has_no_constant_arithmetic_left():
    graph = onnx.load_from_string(a_file()).graph
    constants = {node.output[0] for node in graph.node if node.op_type == "Constant"}
    constants |= {one.name for one in graph.initializer} | {""}
    assert all(set(node.input) - constants for node in graph.node if node.op_type != "Constant")
    assert sum(node.op_type == "Slice" for node in graph.node) <= 9  # the next states, the rings, the samples backwards


OLD = ROOT / "tests" / "data" / "contract-1.onnx"


@pytest.mark.e2e
def test_the_command_converts_a_real_file_which_then_recognises(tmp_path, voice):
    done = rtser("export", OLD, "-o", tmp_path / "new.onnx")
    assert done.returncode == 0, done.stderr
    assert any(one.label for one in library.recognise((voice, 16_000), tmp_path / "new.onnx").decisions)
    refused = rtser("file", ROOT / "rtser" / "samples" / "demo.flac", "--model", OLD)
    assert refused.returncode == 3
    assert "convert it: rtser export OLD.onnx -o NEW.onnx" in refused.stderr


def test_a_conversion_that_changed_a_value_is_refused():
    step, _ = load_step(convert(OLD.read_bytes()))
    samples = sound(2.0, level=0.3)
    check_conversion(OLD.read_bytes(), step, samples)
    step.cnn.emotion[1].bias.data[0] += 0.1
    with pytest.raises(ModelError, match="converted networks differ"):
        check_conversion(OLD.read_bytes(), step, samples)
