"""Peer ``onnxruntime-fp32``: PyTorch's own ONNX export, run in ONNX Runtime.

The export is `torch.onnx.export` with its defaults and a dynamic batch, as in its documentation, which folds BatchNorm
into the convolutions. ONNX Runtime has all graph optimisations, its default. Other peers start from the same file.
"""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import needs
from resemote_edge.runtimes.telemetry import import_onnxruntime
from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["INPUT", "ONNXRuntimeSession", "TorchONNX", "calibration_images", "export_plain", "files_of"]

#: Name of the exported graph's input.
INPUT = "input"


def export_plain(checkpoint: Path, folder: Path) -> Path:
    """Export the reference network with `torch.onnx.export`.

    Args:
        checkpoint: Checkpoint that `load_checkpoint` can read.
        folder: Folder that ``model.onnx`` is written to, with the weights in a file beside it.

    Returns:
        Path of the ONNX file.

    Raises:
        MissingDependencyError: torch or onnxscript, on which its exporter is built, is not installed.
        CheckpointError: The checkpoint cannot be read.
    """
    with needs("peers", "torch.onnx.export"):
        import onnxscript  # noqa: F401
        import torch

        from resemote_edge.models.checkpoint import load_checkpoint
    network = load_checkpoint(checkpoint).build()
    # Two images, because the exporter would take a batch of one for a constant.
    example = torch.zeros(2, 3, 64, 64)
    path = folder / "model.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations inside PyTorch's exporter
        torch.onnx.export(
            network,
            (example,),
            str(path),
            input_names=[INPUT],
            output_names=["logits"],
            dynamic_shapes={"x": {0: torch.export.Dim("batch")}},
            dynamo=True,  # the default of PyTorch 2.9 and later
            verbose=False,
        )
    return path


def calibration_images() -> NDArray[np.float32]:
    """Images for peers that quantize, float32 (300, 3, 64, 64), normalised; drawn, because only latency is measured.

    300 is NNCF's default number; ONNX Runtime has none.
    """
    images: NDArray[np.float32] = PreprocessSpec()(list(drawn_faces(300, seed=0)), "rgb")
    return images


def files_of(path: Path) -> tuple[Path, ...]:
    """Return an ONNX file and the weights beside it, if it has any there."""
    weights = path.with_name(f"{path.name}.data")
    return (path, weights) if weights.is_file() else (path,)


class TorchONNX:
    """``torch.onnx.export`` in ONNX Runtime, float32."""

    def prepare(self, checkpoint: Path, folder: Path) -> tuple[Path, ...]:
        """Export."""
        return files_of(export_plain(checkpoint, folder))

    def open(self, folder: Path, threads: int) -> "ONNXRuntimeSession":
        """Load the file in ONNX Runtime."""
        return ONNXRuntimeSession(folder / "model.onnx", threads)


class ONNXRuntimeSession:
    """An ONNX file in ONNX Runtime on the CPU.

    Args:
        path: Path of the file; its first input takes the images, its first output gives the logits.
        threads: Number of CPU threads.
    """

    def __init__(self, path: Path, threads: int) -> None:
        onnxruntime = import_onnxruntime("a peer in ONNX Runtime")
        settings = onnxruntime.SessionOptions()
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        settings.intra_op_num_threads = threads
        settings.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])
        self._run: Callable[..., list[Any]] = session.run
        self._input: str = session.get_inputs()[0].name
        self.runtime = f"onnxruntime {onnxruntime.__version__}"

    def run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run as `PeerSession.run` does."""
        logits: NDArray[np.float32] = self._run(None, {self._input: images})[0]
        return logits
