"""Calibration tensors for peers that quantize: drawn faces, since their latency is measured, not their accuracy."""

import numpy as np
from numpy.typing import NDArray

from resemote_edge.vision.drawn import drawn_faces
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["CALIBRATION_IMAGES", "face_tensors"]

#: Number that NNCF takes by default; ONNX Runtime names no number and gets the same images.
CALIBRATION_IMAGES = 300


def face_tensors(count: int, *, seed: int) -> NDArray[np.float32]:
    """Make seeded drawn faces as the network takes them: float32 (count, 3, 64, 64), normalised, contiguous."""
    tensors: NDArray[np.float32] = PreprocessSpec()(list(drawn_faces(count, seed=seed)), "rgb")
    return tensors
