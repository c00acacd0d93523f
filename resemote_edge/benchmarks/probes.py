"""MachineProbe: what this machine can do at best, measured with small built-in probes."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import numpy as np

from resemote_edge.telemetry import import_openvino

__all__ = ["MachineProbe", "probe_machine", "product_model"]

# Far beyond any cache, so that it is memory that is read.
_STREAM_BYTES = 256 * 2**20
_REPEATS = 12

# Large enough that a matrix product is bound by arithmetic: 4.3 G multiply-adds.
_SIDE = 1620


class MachineProbe(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Best figures seen, of several tries.

    Attributes:
        threads: CPU threads.
        memory_gb_per_s: Reading memory in order.
        fp32_gmac_per_s: Multiply-adds of a large fp32 matrix product in OpenVINO, in 1e9 a second.
        int8_gmac_per_s: The same with uint8 activations and int8 weights.
    """

    threads: int
    memory_gb_per_s: float
    fp32_gmac_per_s: float
    int8_gmac_per_s: float


def probe_machine(threads: int) -> MachineProbe:
    """Measure memory bandwidth and arithmetic peaks.

    Args:
        threads: CPU threads to use.

    Returns:
        The figures; a second or two of work.

    Raises:
        MissingDependencyError: openvino is not installed.
    """
    return MachineProbe(
        threads=threads,
        memory_gb_per_s=_stream(threads),
        fp32_gmac_per_s=_matrix_product(threads, in_integers=False),
        int8_gmac_per_s=_matrix_product(threads, in_integers=True),
    )


def _best_seconds(call: Callable[[], object]) -> float:
    call()
    best = float("inf")
    for _ in range(_REPEATS):
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return best


def _stream(threads: int) -> float:
    parts = np.array_split(np.ones(_STREAM_BYTES // 8, dtype=np.int64), threads)
    with ThreadPoolExecutor(threads) as pool:  # numpy's reductions release the interpreter lock
        seconds = _best_seconds(lambda: list(pool.map(np.bitwise_or.reduce, parts)))
    return _STREAM_BYTES / seconds / 1e9


def product_model(*, in_integers: bool) -> Any:
    """An OpenVINO model of one large matrix product, float32 (side, side) in and out.

    Args:
        in_integers: With quantized rows and int8 weights, the pattern the CPU plugin turns into integer arithmetic.

    Raises:
        MissingDependencyError: openvino is not installed.
    """
    openvino = import_openvino("probing the machine")
    from openvino import opset13 as ops

    rng = np.random.default_rng(0)
    rows: Any = ops.parameter([_SIDE, _SIDE], np.float32)
    if in_integers:
        limits = [np.float32(value) for value in (0.0, 1.0, 0.0, 1.0)]
        quantized = ops.fake_quantize(rows, *limits, 256)
        weights = ops.constant(rng.integers(-127, 128, (_SIDE, _SIDE), dtype=np.int8))
        scaled = ops.multiply(ops.convert(weights, np.float32), np.float32(1.0 / 127.0))
        product = ops.matmul(quantized, scaled, False, True)
    else:
        product = ops.matmul(rows, ops.constant(rng.standard_normal((_SIDE, _SIDE)).astype(np.float32)), False, True)
    return openvino.Model([product], [rows])


def _matrix_product(threads: int, *, in_integers: bool) -> float:
    openvino = import_openvino("probing the machine")
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    model = product_model(in_integers=in_integers)
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    feed = np.random.default_rng(1).random((_SIDE, _SIDE), dtype=np.float32)
    return _SIDE**3 / _best_seconds(lambda: request.infer([feed], share_inputs=True)) / 1e9
