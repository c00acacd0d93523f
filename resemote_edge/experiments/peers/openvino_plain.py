"""Peers ``openvino-fp32`` and ``openvino-bf16``: the same `torch.onnx.export` file, run in OpenVINO.

The ONNX file is read as it is, with the latency hint, which OpenVINO's documentation advises for one request at a time.
By default, OpenVINO computes in bf16 on CPUs that have it. So the inference precision is stated: ``f32`` in the one,
``bf16`` in the other.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.experiments.peers.torch_onnx import export_plain, files_of
from resemote_edge.runtimes.telemetry import import_openvino

__all__ = ["OpenVINOPlain", "OpenVINOPlainBF16", "OpenVINOSession"]


class OpenVINOPlain:
    """``torch.onnx.export`` in OpenVINO, float32."""

    precision = "f32"

    def prepare(self, checkpoint: Path, folder: Path) -> tuple[Path, ...]:
        """Export."""
        return files_of(export_plain(checkpoint, folder))

    def open(self, folder: Path, threads: int) -> "OpenVINOSession":
        """Compile the file for the CPU."""
        return OpenVINOSession(folder / "model.onnx", threads, self.precision)


class OpenVINOPlainBF16(OpenVINOPlain):
    """``torch.onnx.export`` in OpenVINO, with the hint for bf16."""

    precision = "bf16"


class OpenVINOSession:
    """A model file in OpenVINO on the CPU.

    Args:
        path: Path of the ONNX or IR; one input, one output.
        threads: Number of CPU threads.
        precision: Inference precision hint; None for OpenVINO's own choice.

    Raises:
        DeviceUnavailableError: bf16 was asked for and this CPU has none.
    """

    def __init__(self, path: Path, threads: int, precision: str | None) -> None:
        openvino = import_openvino("a peer in OpenVINO")
        core = openvino.Core()
        if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise DeviceUnavailableError(
                "OpenVINO finds no bf16 on this CPU", hint="leave the rows with the bf16 hint out"
            )
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
        if precision is not None:
            settings["INFERENCE_PRECISION_HINT"] = precision
        self._compiled = core.compile_model(core.read_model(str(path)), "CPU", settings)
        self._request = self._compiled.create_infer_request()
        self.runtime = f"openvino {openvino.__version__.split('-')[0]}"

    def run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run as `PeerSession.run` does."""
        self._request.infer([images], share_inputs=True)
        # The request reuses its output buffer, and the result must be the caller's.
        return np.array(self._request.get_output_tensor(0).data)
