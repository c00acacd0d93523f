"""A large matrix product in OpenVINO on the CPU."""

from typing import Any

import numpy as np

from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.measuring.probes.product import TimedProduct, tries
from resemote_edge.measuring.profiles.openvino import node_totals_us, runtime_information
from resemote_edge.measuring.profiles.precisions import precision_of_kernel
from resemote_edge.runtimes.telemetry import import_openvino

__all__ = ["time_product"]

_HINTS = {"fp32": "f32", "int8": "f32", "bf16": "bf16"}


def time_product(precision: str, threads: int, side: int) -> TimedProduct:
    """Time the product of two square matrices.

    Args:
        precision: Precision of the product, ``fp32``, ``bf16`` or ``int8``.
        threads: Number of CPU threads.
        side: Rows and columns of the matrices.

    Raises:
        DeviceUnavailableError: The plugin refuses the precision.
        MissingDependencyError: openvino is not installed.
    """
    openvino = import_openvino("probing the machine")
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": _HINTS[precision],
        "PERF_COUNT": True,
    }
    try:
        compiled = openvino.Core().compile_model(_model(side, in_integers=precision == "int8"), "CPU", settings)
    except RuntimeError as error:
        raise DeviceUnavailableError(f"openvino refuses {precision}: {str(error).strip().splitlines()[-1]}") from None
    request = compiled.create_infer_request()
    feed = np.random.default_rng(1).random((side, side), dtype=np.float32)
    request.infer([feed], share_inputs=True)
    product = next(
        node
        for node in compiled.get_runtime_model().get_ops()
        if runtime_information(node, "layerType").startswith(("FullyConnected", "MatMul"))
    )
    kernel, name = runtime_information(product, "primitiveType"), product.get_friendly_name()
    # Counters are averages in whole microseconds, so totals over n calls are exact to n microseconds.
    before, best = node_totals_us(request, 1)[name], float("inf")
    for number in tries():
        request.infer([feed], share_inputs=True)
        after = node_totals_us(request, 1 + number)[name]
        best, before = min(best, after - before), after
    return TimedProduct(kernel=kernel, precision=precision_of_kernel(kernel), seconds=best / 1e6)


def _model(side: int, *, in_integers: bool) -> Any:
    """Model of one product, in floats or in a quantized form that the plugin turns into an integer product."""
    openvino = import_openvino("probing the machine")
    from openvino import opset13 as ops

    rng = np.random.default_rng(0)
    rows: Any = ops.parameter([side, side], np.float32)
    if in_integers:
        limits = [np.float32(value) for value in (0.0, 1.0, 0.0, 1.0)]
        quantized = ops.fake_quantize(rows, *limits, 256)
        weights = ops.constant(rng.integers(-127, 128, (side, side), dtype=np.int8))
        scaled = ops.multiply(ops.convert(weights, np.float32), np.float32(1.0 / 127.0))
        product = ops.matmul(quantized, scaled, False, True)
    else:
        product = ops.matmul(rows, ops.constant(rng.standard_normal((side, side)).astype(np.float32)), False, True)
    return openvino.Model([product], [rows])
