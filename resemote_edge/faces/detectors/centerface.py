"""Detector ``centerface``: CenterFace of 2019, a network that marks the centres of faces on one fine grid.

It finds smaller faces than YuNet in a frame scaled to the same size, for several times the work.
"""

import numpy as np
from numpy.typing import NDArray

from resemote_edge.faces.detectors.network import Candidates, NetworkDetector
from resemote_edge.faces.families import FAMILIES

__all__ = ["CenterFace"]


class CenterFace(NetworkDetector):
    """CenterFace."""

    family = "centerface"

    def read(self, outputs: dict[str, NDArray[np.float32]]) -> Candidates:
        """Read the four outputs; in those of two and of ten channels, rows come before columns."""
        (stride,) = FAMILIES[self.family].strides
        heat = outputs["heatmap"][0, 0]
        rows, columns = np.nonzero(heat >= self.min_score)
        sides = np.exp(outputs["size"][0][::-1, rows, columns].T) * stride
        places = np.stack([columns, rows], axis=1) + outputs["offset"][0][::-1, rows, columns].T
        corners = (places + 0.5) * stride - sides / 2
        relative = outputs["landmarks"][0][:, rows, columns].T.reshape(-1, 5, 2)[..., ::-1]
        points = relative * sides[:, None] + corners[:, None]
        return Candidates(np.concatenate([corners, sides], axis=1), heat[rows, columns].clip(0, 1), points)
