"""Frames with drawn people in them, for tests of what finds and judges faces."""

import numpy as np

from resemote_edge.vision.portrait import drawn_portrait, paste

#: Left edge, upper edge and side of each portrait in `crowd`.
PLACES = ((40, 60, 400), (520, 100, 240), (820, 300, 160), (1050, 80, 100))


def crowd(width=1280, height=720, places=PLACES, expression="happy"):
    """A picture with a person at each place, uint8 (height, width, 3), RGB."""
    slope = np.linspace(60, 150, width)[None, :, None] + np.zeros((height, 1, 3))
    picture = slope.astype(np.uint8)
    for number, (left, top, side) in enumerate(places):
        paste(picture, drawn_portrait(side, seed=number, expression=expression), left, top)
    return picture
