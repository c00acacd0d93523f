"""Peers ``onnxruntime-static-default`` and ``-best``: ONNX Runtime's static quantization of the exported graph.

This follows its documentation: `quant_pre_process`, then `quantize_static`, on 300 calibration images. ``default``
changes nothing: Q/DQ, int8 activations, int8 weights, one scale per tensor, MinMax. ``best`` has uint8 activations and
int8 weights with a scale per channel, which the documentation recommends for x86-64, and which is faster here. (The
reduced range that it mentions for CPUs without VNNI is not used.)
"""

import logging
from pathlib import Path
from typing import Any

from resemote_edge.errors import needs
from resemote_edge.experiments.peers.torch_onnx import (
    INPUT,
    ONNXRuntimeSession,
    calibration_images,
    export_plain,
    files_of,
)
from resemote_edge.runtimes.telemetry import import_onnxruntime

__all__ = ["StaticBest", "StaticDefault"]


class StaticDefault:
    """ONNX Runtime's static quantization, default settings."""

    def prepare(self, checkpoint: Path, folder: Path) -> tuple[Path, ...]:
        """Export, preprocess, calibrate and quantize."""
        import_onnxruntime("ONNX Runtime's static quantization")
        with needs("peers", "ONNX Runtime's static quantization", "onnx", "sympy"):
            from onnxruntime.quantization import quantize_static
            from onnxruntime.quantization.shape_inference import quant_pre_process
        plain = export_plain(checkpoint, folder)
        prepared, quantized = folder / "prepared.onnx", folder / "quantized.onnx"
        logging.disable(logging.WARNING)  # It advises, on the root logger, to do what was just done.
        try:
            quant_pre_process(str(plain), str(prepared))
            quantize_static(str(prepared), str(quantized), _Reader(), **self._settings())
        finally:
            logging.disable(logging.NOTSET)
        for path in (*files_of(plain), *files_of(prepared)):
            path.unlink()
        return files_of(quantized)

    def open(self, folder: Path, threads: int) -> ONNXRuntimeSession:
        """Load the quantized file in ONNX Runtime."""
        return ONNXRuntimeSession(folder / "quantized.onnx", threads)

    def _settings(self) -> dict[str, Any]:
        """Arguments of `quantize_static` that differ from its defaults."""
        return {}


class StaticBest(StaticDefault):
    """ONNX Runtime's static quantization, best settings."""

    def _settings(self) -> dict[str, Any]:
        from onnxruntime.quantization import QuantType

        return {"activation_type": QuantType.QUInt8, "weight_type": QuantType.QInt8, "per_channel": True}


class _Reader:
    """Hands out calibration images one by one, as `quantize_static` asks for them."""

    def __init__(self) -> None:
        self._images = iter(calibration_images())

    def get_next(self) -> dict[str, Any] | None:
        image = next(self._images, None)
        return None if image is None else {INPUT: image[None]}
