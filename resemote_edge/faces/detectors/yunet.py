"""Detector ``yunet``: YuNet of March 2023, a network of 54,000 weights with boxes and landmarks.

Each cell of three grids (8, 16 and 32 pixels apart) says whether a face is centred near it, and where its edges and
landmarks are, in units of the grid. `cv2.FaceDetectorYN` reads the same outputs in the same way.
"""

import numpy as np
from numpy.typing import NDArray

from resemote_edge.faces.detectors.network import Candidates, NetworkDetector
from resemote_edge.faces.families import FAMILIES

__all__ = ["YuNet"]


class YuNet(NetworkDetector):
    """YuNet, or any network with its outputs."""

    family = "yunet"

    def read(self, outputs: dict[str, NDArray[np.float32]]) -> Candidates:
        """Read the twelve outputs: ``cls``, ``obj``, ``bbox`` and ``kps`` for each grid."""
        parts = [self._read_grid(outputs, stride) for stride in FAMILIES[self.family].strides]
        boxes, scores, landmarks = (np.concatenate(part) for part in zip(*parts, strict=True))
        return Candidates(boxes, scores, landmarks)

    def _read_grid(
        self, outputs: dict[str, NDArray[np.float32]], stride: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        products = outputs[f"cls_{stride}"].reshape(-1).clip(0, 1) * outputs[f"obj_{stride}"].reshape(-1).clip(0, 1)
        scores = np.sqrt(products)
        chosen = np.flatnonzero(scores >= self.min_score)
        corners = np.stack(np.divmod(chosen, self.passport.width // stride)[::-1], axis=1).astype(np.float32)
        raw = outputs[f"bbox_{stride}"].reshape(-1, 4)[chosen]
        centres, sides = (corners + raw[:, :2]) * stride, np.exp(raw[:, 2:]) * stride
        points = (outputs[f"kps_{stride}"].reshape(-1, 5, 2)[chosen] + corners[:, None]) * stride
        return np.concatenate([centres - sides / 2, sides], axis=1), scores[chosen], points
