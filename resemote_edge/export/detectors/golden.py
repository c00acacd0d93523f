"""Golden pictures: the self-test data of a detector, and what its network must give for them."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.runtimes.telemetry import import_onnxruntime
from resemote_edge.vision.drawn import drawn_faces

__all__ = ["FRAMES_NAME", "OUTPUTS_NAME", "DetectorGoldenData", "Reference", "drawn_pictures", "make_golden"]

FRAMES_NAME = "golden_frames.npy"
OUTPUTS_NAME = "golden_outputs.npy"

#: Columns that a picture has before its pixels are repeated, at most; the outputs alone take half a megabyte.
_STORED_COLUMNS = 160

_SEED = 20240


@dataclass(frozen=True)
class DetectorGoldenData:
    """Self-test data.

    Attributes:
        frames: Pictures as they are stored, uint8 (N, height / repeat, width / repeat, 3), BGR.
        outputs: Values that the network must give, float32 (N, values).
        repeat: How often each pixel is repeated in both directions.
    """

    frames: NDArray[np.uint8] = field(repr=False)
    outputs: NDArray[np.float32] = field(repr=False)
    repeat: int

    def save(self, folder: Path) -> None:
        """Write both arrays as ``.npy``."""
        np.save(folder / FRAMES_NAME, self.frames, allow_pickle=False)
        np.save(folder / OUTPUTS_NAME, self.outputs, allow_pickle=False)


class Reference:
    """The network as its file has it, in single precision on the CPU.

    Args:
        model: Model with one float32 input, NCHW, in BGR.
    """

    def __init__(self, model: Any) -> None:
        onnxruntime = import_onnxruntime("exporting a detector")
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = 4
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        self._session = onnxruntime.InferenceSession(
            model.SerializeToString(), settings, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._names = [output.name for output in model.graph.output]

    def __call__(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Values of all outputs, float32 (N, values), for pictures, uint8 (N, height, width, 3) in BGR."""
        feeds = pictures.transpose(0, 3, 1, 2).astype(np.float32)
        rows = [self._session.run(self._names, {self._input: feed[None]}) for feed in feeds]
        return np.stack([np.concatenate([output.reshape(-1) for output in row]) for row in rows])


def make_golden(reference: Reference, width: int, height: int) -> DetectorGoldenData:
    """Draw a picture and compute what the network must give for it."""
    repeat = max(width // _STORED_COLUMNS, 1)
    while width % repeat or height % repeat:
        repeat -= 1
    frames = drawn_pictures(1, width // repeat, height // repeat, seed=_SEED)
    return DetectorGoldenData(frames, reference(frames.repeat(repeat, axis=1).repeat(repeat, axis=2)), repeat)


def drawn_pictures(count: int, width: int, height: int, *, seed: int) -> NDArray[np.uint8]:
    """Draw pictures with faces of three sizes on a background with a gradient and noise.

    Args:
        count: Number of pictures.
        width: Columns, pixels.
        height: Rows, pixels.
        seed: Seed of the drawing.

    Returns:
        uint8 (count, height, width, 3), BGR, caller-owned.
    """
    rng = np.random.default_rng(seed)
    pictures = np.empty((count, height, width, 3), dtype=np.uint8)
    for number in range(count):
        slope = np.add.outer(np.linspace(0, rng.uniform(20, 80), height), np.linspace(0, rng.uniform(20, 80), width))
        ground = rng.uniform(20, 100, 3) + slope[..., None] + rng.normal(0, 4, (height, width, 3))
        picture = np.clip(np.rint(ground), 0, 255).astype(np.uint8)
        left = 0
        for part, share in enumerate((0.75, 0.5, 0.3)):
            side = max(int(height * share), 8)
            if left + side > width:
                break
            face = drawn_faces(1, side=side, seed=seed + 10 * number + part)[0]
            top = int(rng.integers(0, height - side + 1))
            picture[top : top + side, left : left + side] = face[..., ::-1]
            left += side + side // 8
        pictures[number] = picture
    return pictures
