"""A large matrix product in ONNX Runtime on the CPU."""

from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.measuring.probes.product import TimedProduct, tries
from resemote_edge.measuring.profiles.onnx_bytes import matrix_product_onnx
from resemote_edge.measuring.profiles.onnxruntime import kernel_events
from resemote_edge.measuring.profiles.precisions import precision_of_kernel, precision_of_type
from resemote_edge.runtimes.telemetry import import_onnxruntime

__all__ = ["time_product"]

_LOG_FATAL = 4


def time_product(precision: str, threads: int, side: int) -> TimedProduct:
    """Time the product of two square matrices.

    Args:
        precision: Precision of the product, ``fp32`` or ``int8``.
        threads: Number of CPU threads.
        side: Rows and columns of the matrices.

    Raises:
        DeviceUnavailableError: The precision is ``bf16``, for which the CPU provider has no matrix product.
        MissingDependencyError: onnxruntime is not installed.
    """
    if precision == "bf16":
        raise DeviceUnavailableError(
            "onnxruntime has no matrix product in bf16 for CPUs",
            hint="for that of openvino run: pip install 'resemote-edge[openvino]'",
        )
    onnxruntime = import_onnxruntime("probing the machine")
    rng = np.random.default_rng(0)
    rows: NDArray[Any] = rng.standard_normal((side, side), np.float32)
    weights: NDArray[Any] = rng.standard_normal((side, side), np.float32)
    if precision == "int8":
        rows, weights = rng.integers(0, 256, (side, side), np.uint8), rng.integers(-127, 128, (side, side), np.int8)
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = _LOG_FATAL
    settings.inter_op_num_threads, settings.intra_op_num_threads = 1, threads
    model = matrix_product_onnx(str(rows.dtype), weights)
    events = kernel_events(model, settings, {"rows": rows}, chain((0,), tries()))["product"]
    kernel, types = str(events[-1]["args"]["op_name"]), events[-1]["args"]["input_type_shape"]
    return TimedProduct(
        kernel=kernel,
        precision=precision_of_kernel(kernel) or precision_of_type(next(iter(types[0]))),
        seconds=min(event["dur"] for event in events[1:]) / 1e6,
    )
