"""Framing: from the box of a face to the square that a classifier is shown.

A network knows faces as they were framed in its training. FER2013's frames are squares around the face, and a box that
is stretched to a square, or a face that fills less of it, costs accuracy. So the square is one definition, and the
native runtime computes the same whole numbers: all steps are single operations in float64.
"""

import math
from dataclasses import dataclass

from resemote_edge.errors import InputError
from resemote_edge.vision.frame import MAX_FRAME_SIDE, Box
from resemote_edge.vision.preprocessing import MIN_CROP_SIDE

__all__ = ["Framing"]


@dataclass(frozen=True, kw_only=True)
class Framing:
    """How the boxes of one detector become squares.

    Attributes:
        scale: Side of the square, in units of the geometric mean of the box's sides.
        shift: How far the square's centre lies below that of the box, in units of the box's height.
    """

    scale: float = 1.0
    shift: float = 0.0

    def square(self, x: float, y: float, width: float, height: float) -> Box:
        """Frame one box.

        Args:
            x: Left edge, pixels of the frame; the box may reach over its border.
            y: Upper edge, pixels.
            width: Width, pixels.
            height: Height, pixels.

        Returns:
            A square box of at least 8x8 pixels, rounded to whole pixels, which may reach over the frame's border too.

        Raises:
            InputError: A number is not finite, or a side is not positive or above `MAX_FRAME_SIDE`.
        """
        if not all(map(math.isfinite, (x, y, width, height))) or min(width, height) <= 0:
            raise InputError(f"the box x={x}, y={y}, width={width}, height={height} has no area")
        if max(width, height, abs(x), abs(y)) > MAX_FRAME_SIDE:
            raise InputError(f"the box x={x}, y={y}, width={width}, height={height} lies beyond any frame")
        side = max(math.floor(self.scale * math.sqrt(width * height) + 0.5), MIN_CROP_SIDE)
        left = math.floor(x + width / 2.0 - side / 2.0 + 0.5)
        top = math.floor(y + height / 2.0 + self.shift * height - side / 2.0 + 0.5)
        return Box(left, top, side, side)
