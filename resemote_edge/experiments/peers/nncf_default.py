"""Peer ``nncf-default``: NNCF's post-training quantization of the exported graph, run in OpenVINO.

This is `nncf.quantize(model, dataset)` with its defaults, the first example of its documentation: performance preset,
300 images, fast bias correction. The IR is saved with OpenVINO's defaults. Layers that are not quantized run in the
precision that OpenVINO chooses for the CPU, which is bf16 if it has it.
"""

from pathlib import Path
from typing import Any

from resemote_edge.errors import needs
from resemote_edge.experiments.peers.openvino_plain import OpenVINOSession
from resemote_edge.experiments.peers.torch_onnx import calibration_images, export_plain, files_of
from resemote_edge.runtimes.telemetry import hide_openvino_telemetry, import_openvino

__all__ = ["NNCFDefault", "import_nncf"]


class NNCFDefault:
    """``nncf.quantize`` with its defaults, in OpenVINO."""

    def prepare(self, checkpoint: Path, folder: Path) -> tuple[Path, ...]:
        """Export, read into OpenVINO, calibrate and quantize."""
        nncf = import_nncf("NNCF's quantization")
        openvino = import_openvino("NNCF's quantization")
        plain = export_plain(checkpoint, folder)
        model = openvino.Core().read_model(str(plain))
        quantized = nncf.quantize(model, nncf.Dataset([image[None] for image in calibration_images()]))
        path = folder / "quantized.xml"
        openvino.save_model(quantized, str(path))
        del model  # It maps the weights, which are removed next.
        for leftover in files_of(plain):
            leftover.unlink()
        return path, path.with_suffix(".bin")

    def open(self, folder: Path, threads: int) -> OpenVINOSession:
        """Compile the IR for the CPU."""
        return OpenVINOSession(folder / "quantized.xml", threads, None)


def import_nncf(purpose: str) -> Any:
    """Import ``nncf`` without its telemetry, which uses OpenVINO's; otherwise as `import_openvino`."""
    hide_openvino_telemetry(before="nncf")
    with needs("peers", purpose):
        import nncf
    return nncf
