from __future__ import annotations

import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from rtser.bench.floor import Floor, gemm_gflops, multiply_adds
from rtser.models import default_model_path

WINDOW = 10


def graph(nodes, inputs, outputs, **constants):
    """A model file with such nodes; shapes by name."""
    tensors = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
        for shapes in (inputs, outputs)
    ]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    made = helper.make_graph(nodes, "small", *tensors, weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=10).SerializeToString()


def zeros(*shape):
    return np.zeros(shape, np.float32)


def test_a_matrix_product_has_a_multiply_add_for_each_weight_and_row():
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    assert multiply_adds(graph(nodes, {"x": ["B", 6, 40]}, {"y": ["B", 6, 8]}, w=zeros(40, 8)), WINDOW) == 6 * 40 * 8


def test_a_transposed_gemm_counts_by_the_dimension_that_is_summed():
    nodes = [helper.make_node("Gemm", ["x", "w", "b"], ["y"], transA=1, transB=1)]
    content = graph(nodes, {"x": [40, "B"]}, {"y": ["B", 8]}, w=zeros(8, 40), b=zeros(8))
    assert multiply_adds(content, WINDOW) == 40 * 8


def test_a_convolution_counts_its_kernel_for_each_value_and_a_group_its_own_channels():
    nodes = [helper.make_node("Conv", ["x", "w"], ["y"], group=2, pads=[0, 1, 0, 1])]
    content = graph(nodes, {"x": ["B", 4, 8, 16]}, {"y": ["B", 6, 6, 16]}, w=zeros(6, 2, 3, 3))
    assert multiply_adds(content, WINDOW) == (6 * 6 * 16) * (2 * 3 * 3)


def test_the_window_is_bound_to_the_models():
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    content = graph(nodes, {"x": ["B", "W", 4]}, {"y": ["B", "W", 2]}, w=zeros(4, 2))
    assert multiply_adds(content, WINDOW) == WINDOW * 4 * 2


def test_a_shape_that_cannot_be_inferred_gives_no_count():
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    assert multiply_adds(graph(nodes, {"x": ["B", "n", 4]}, {"y": ["B", "n", 2]}, w=zeros(4, 2)), WINDOW) is None


def test_a_hop_of_the_shipped_model_is_some_three_million_multiply_adds():
    content = default_model_path().read_bytes()
    assert onnx.load_from_string(content).graph.node
    assert multiply_adds(content, 62) == pytest.approx(3.5e6, rel=0.45)  # less where the front end is split


def test_without_onnx_there_is_no_count():
    blocked = "import sys; sys.modules['onnx'] = None; from rtser.bench.floor import *; print(multiply_adds(b'', 1))"
    assert subprocess.check_output([sys.executable, "-c", blocked], text=True, timeout=60) == "None\n"


def test_a_hop_is_so_many_times_the_floor():
    floor = Floor(multiply_adds=3_000_000, core_gflops=100.0, hop_ms=0.06)
    assert floor.figures(0.15)["times"] == 2.5
    assert floor.figures(None)["times"] is None
    assert Floor(None, 100.0, None).figures(0.15)["times"] is None


def test_the_rate_of_the_core_is_that_of_a_processor():
    assert 0.1 < gemm_gflops(0.05) < 10_000
