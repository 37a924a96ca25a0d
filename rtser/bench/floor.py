"""The floor of a hop: the model's multiply-adds, at the rate of this core's matrix product.

Only matrix products and convolutions are counted: the arithmetic of the ring buffers (where a state is written and
read) and elementwise work (activations, sums, the softmax) are left out.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rtser.engine.model import Model
from rtser.models import read_model

GEMM_SIZE = 512
GEMM_S = 0.4
"""How long the matrix product is repeated. The fastest counts, because other programs can only slow it down."""


@dataclass(frozen=True)
class Floor:
    """What one hop of one stream costs at least, on one core.

    Attributes:
        multiply_adds: of one hop's matrix products and convolutions; None if they cannot be counted.
        core_gflops: float32 rate of one core, in 1e9 operations a second; a multiply-add is two.
        hop_ms: the floor in milliseconds a hop; None like `multiply_adds`.
    """

    multiply_adds: int | None
    core_gflops: float
    hop_ms: float | None

    def figures(self, hop_ms: float | None) -> dict[str, float | None]:
        """The floor as JSON; `times`: how many times the floor a hop of so many milliseconds is."""
        known = self.hop_ms is not None and hop_ms is not None
        return asdict(self) | {"times": round(hop_ms / self.hop_ms, 2) if known else None}  # type: ignore[operator]


def measure_floor(model: Model) -> Floor:
    """The floor of a loaded model, on the core that this thread runs on.

    Keep numpy to one thread before it is imported. This allocates memory: read memory figures before.
    """
    count, gflops = multiply_adds(read_model(Path(model.source)), model.metadata.window), gemm_gflops()
    return Floor(count, round(gflops, 1), None if count is None else round(2 * count / gflops / 1e6, 4))


def gemm_gflops(seconds: float = GEMM_S) -> float:
    """Rate of numpy's float32 matrix product (512 x 512), in 1e9 operations a second: the fastest of many."""
    left, right = np.random.default_rng(0).normal(size=(2, GEMM_SIZE, GEMM_SIZE)).astype(np.float32)
    product, best_s, until_s = np.empty_like(left), math.inf, time.perf_counter() + seconds
    while (began_s := time.perf_counter()) < until_s:
        np.matmul(left, right, out=product)
        best_s = min(best_s, time.perf_counter() - began_s)
    return 2 * GEMM_SIZE**3 / best_s / 1e9


def multiply_adds(content: bytes, window: int) -> int | None:
    """Multiply-adds of one hop of one stream, counted from a model file.

    Counts MatMul, Gemm and Conv by the shapes that ONNX infers for B = 1 and W = `window`.

    Args:
        content: of the model file.
        window: in segments.

    Returns:
        the sum; None if the package ``onnx`` is missing, or a shape cannot be inferred.
    """
    try:
        import onnx
    except ImportError:
        return None
    model = onnx.load_from_string(content)
    graph = model.graph
    for tensor in (*graph.input, *graph.output, *graph.value_info):
        for size in tensor.type.tensor_type.shape.dim:
            if size.dim_param in ("B", "W"):
                size.dim_value = 1 if size.dim_param == "B" else window
    graph = onnx.shape_inference.infer_shapes(model, data_prop=True).graph
    shapes = {
        tensor.name: [size.dim_value for size in tensor.type.tensor_type.shape.dim]
        for tensor in (*graph.input, *graph.output, *graph.value_info)
    }
    shapes |= {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    try:
        counts = [_of_node(node, shapes) for node in graph.node if node.op_type in ("MatMul", "Gemm", "Conv")]
    except KeyError:
        return None
    return sum(counts) if all(counts) else None  # a size that is not known counts as zero


def _of_node(node: Any, shapes: Mapping[str, list[int]]) -> int:
    """Multiply-adds of a node: each value of its output is a sum of so many products."""
    outputs, left, right = math.prod(shapes[node.output[0]]), shapes[node.input[0]], shapes[node.input[1]]
    if node.op_type == "Conv":
        return outputs * math.prod(right[1:])  # channels of the group, and the kernel
    transposed = any(one.name == "transA" and one.i for one in node.attribute)
    return outputs * left[0 if transposed else -1]
