"""Face: what a detector says of one face in one frame."""

import math
from dataclasses import dataclass

from resemote_edge.errors import InputError

__all__ = ["LANDMARKS", "Face", "overlap"]

#: Points that detectors give, in this order; left and right are the person's own.
LANDMARKS = ("right_eye", "left_eye", "nose_tip", "right_mouth_corner", "left_mouth_corner")


@dataclass(frozen=True, kw_only=True)
class Face:
    """One face in one frame.

    Attributes:
        x: Left edge of the box, pixels of the frame; the box may reach over the frame's border.
        y: Upper edge, pixels.
        width: Width, pixels.
        height: Height, pixels.
        score: The detector's confidence that this is a face, in [0, 1].
        landmarks: The `LANDMARKS` as (x, y) in pixels of the frame; empty if the detector gives none.

    Raises:
        InputError: A number is not finite, a side not positive, the score outside [0, 1], or the landmarks are not
            none or five.
    """

    x: float
    y: float
    width: float
    height: float
    score: float = 1.0
    landmarks: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        numbers = (*self.box, self.score, *(value for point in self.landmarks for value in point))
        if not all(map(math.isfinite, numbers)) or min(self.width, self.height) <= 0 or not 0 <= self.score <= 1:
            raise InputError(f"no face has the box {self.box} and the score {self.score}")
        if len(self.landmarks) not in (0, len(LANDMARKS)):
            raise InputError(f"a face has {len(LANDMARKS)} landmarks or none, got {len(self.landmarks)}")

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x, y, width and height, pixels."""
        return self.x, self.y, self.width, self.height

    def overlap(self, other: "Face") -> float:
        """Intersection over union of two boxes, in [0, 1]."""
        return overlap(self.box, other.box)


def overlap(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Intersection over union of two boxes (x, y, width, height), in [0, 1]."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)
