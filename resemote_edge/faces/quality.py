"""Quality: whether a face can be judged at all, and if not, why.

A classifier gives an answer for anything, also for eight gray pixels or the back of a head. What is measured here is
cheap. 1,200 validation faces of FER2013 were blurred, darkened, brightened, flattened, shrunk and rolled on purpose.
Each limit lies where the prebuilt classifier names about a quarter fewer of them right, or beyond what they have.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError
from resemote_edge.faces.face import Face
from resemote_edge.vision.preprocessing import ColorOrder, PreprocessSpec

__all__ = ["Quality", "QualityGate", "measure_quality"]

#: Size at which light and sharpness are measured, in pixels, so that both mean the same for near and far faces.
_SIDE = 64
_SIZED = PreprocessSpec(height=_SIDE, width=_SIDE)


@dataclass(frozen=True, kw_only=True)
class Quality:
    """Measurements of one face.

    Attributes:
        size: Geometric mean of the box's sides, pixels.
        brightness: Mean gray level of the crop, in [0, 255].
        contrast: Standard deviation of the gray levels.
        sharpness: Standard deviation of the Laplacian over that of the gray levels: how much of the crop's structure is
            fine, at 64x64 pixels.
        turned: How far the face is turned to a side: distance of the nose tip from the middle of the eyes along the
            line through them, in units of the eyes' distance; 0 is frontal. None without landmarks.
        rolled: Angle of the line through the eyes, degrees; 0 is level. None without landmarks.
    """

    size: float
    brightness: float
    contrast: float
    sharpness: float
    turned: float | None
    rolled: float | None


def measure_quality(face: Face, crop: NDArray[np.uint8], color: ColorOrder) -> Quality:
    """Measure one face.

    Args:
        face: Box and landmarks, as a detector gave them.
        crop: Its square crop, uint8 (H, W) or (H, W, 3).
        color: Channel order of the crop.

    Returns:
        The measurements.

    Raises:
        InputError: The crop is unusable.
    """
    gray = _SIZED.pixels([crop], color)[0].astype(np.float64)
    inner = gray[1:-1, 1:-1]
    laplacian = gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:] - 4.0 * inner
    contrast = float(gray.std())
    turned, rolled = _pose(face)
    return Quality(
        size=math.sqrt(face.width * face.height),
        brightness=float(gray.mean()),
        contrast=contrast,
        sharpness=float(laplacian.std()) / max(contrast, 1.0),
        turned=turned,
        rolled=rolled,
    )


def _pose(face: Face) -> tuple[float | None, float | None]:
    """Turn and roll by the eyes and the nose; None where there are no landmarks, or the eyes coincide."""
    if not face.landmarks:
        return None, None
    (right_x, right_y), (left_x, left_y), (nose_x, nose_y) = face.landmarks[:3]
    across, down = left_x - right_x, left_y - right_y
    distance = math.hypot(across, down)
    if distance == 0.0:
        return None, None
    # Along the line of the eyes, so that a rolled head is not taken for a turned one.
    offset = (nose_x - (right_x + left_x) / 2) * across + (nose_y - (right_y + left_y) / 2) * down
    return offset / (distance * distance), math.degrees(math.atan2(down, across))


@dataclass(frozen=True, kw_only=True)
class QualityGate:
    """Limits of faces that are judged.

    Attributes:
        min_size: Smallest geometric mean of the box's sides, pixels.
        min_brightness: Smallest mean gray level.
        max_brightness: Largest mean gray level.
        min_contrast: Smallest standard deviation of the gray levels.
        min_sharpness: Smallest sharpness.
        max_turned: Largest turn to a side.
        max_rolled: Largest roll, degrees.

    Raises:
        InputError: A limit is not a number, or negative.
    """

    min_size: float = 24.0
    min_brightness: float = 10.0
    max_brightness: float = 230.0
    min_contrast: float = 6.0
    min_sharpness: float = 0.1
    max_turned: float = 0.7
    max_rolled: float = 35.0

    def __post_init__(self) -> None:
        limits = vars(self).values()
        if not all(math.isfinite(limit) and limit >= 0 for limit in limits):
            raise InputError(f"the limits of a quality gate are numbers from 0 up, got {self}")

    def why_not(self, quality: Quality) -> str | None:
        """Reason why a face should not be judged, such as ``too small``; None if it can be."""
        for outside, reason in (
            (quality.size < self.min_size, "too small"),
            (quality.brightness < self.min_brightness, "too dark"),
            (quality.brightness > self.max_brightness, "too bright"),
            (quality.contrast < self.min_contrast, "too little contrast"),
            (quality.sharpness < self.min_sharpness, "blurred"),
            (quality.turned is not None and abs(quality.turned) > self.max_turned, "turned away"),
            (quality.rolled is not None and abs(quality.rolled) > self.max_rolled, "tilted"),
        ):
            if outside:
                return reason
        return None
