"""Annotation: boxes, labels and bars of probabilities drawn on a picture.

Pillow draws, which is there wherever images are read; OpenCV may be missing on a device.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import needs

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

__all__ = ["Mark", "annotate", "track_color"]

Color = tuple[int, int, int]

#: Colours (RGB) that people with any colour vision tell apart (Okabe and Ito), for tracks in turn.
_PALETTE: tuple[Color, ...] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (240, 228, 66),
    (213, 94, 0),
    (204, 121, 167),
)
_UNJUDGED: Color = (160, 160, 160)
_INK: Color = (255, 255, 255)
_PAPER: Color = (24, 24, 24)

#: Height of the text, as a share of the picture's shorter side, and its limits in pixels.
_TEXT_SHARE, _SMALLEST_TEXT, _LARGEST_TEXT = 1 / 40, 11, 36

#: Bars under a label at most.
_MOST_BARS = 3


@dataclass(frozen=True, kw_only=True)
class Mark:
    """What is drawn for one face.

    Attributes:
        box: x, y, width and height of the face, pixels; it may reach over the picture's border.
        label: Word above the box; None for a face that was not judged.
        score: Probability of the label, in [0, 1]; None leaves it out.
        probabilities: Probability of each class by name; bars are drawn for the most likely ones, none if it is empty.
        track: Number of the face's track, which chooses the colour; None where there are no tracks.
        note: Small word beside the label, such as a reason why a face was not judged.
    """

    box: tuple[float, float, float, float]
    label: str | None = None
    score: float | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    track: int | None = None
    note: str = ""


def track_color(track: int | None) -> Color:
    """Colour of a track, RGB; the same number has the same colour."""
    return _PALETTE[(track or 0) % len(_PALETTE)]


def annotate(pixels: NDArray[np.uint8], marks: Iterable[Mark]) -> NDArray[np.uint8]:
    """Draw marks on a picture.

    Args:
        pixels: uint8 (H, W, 3) in BGR; not modified.
        marks: One per face.

    Returns:
        uint8 (H, W, 3), BGR, caller-owned.

    Raises:
        MissingDependencyError: Pillow is not installed.
    """
    with needs("images", "drawing on pictures"):
        from PIL import Image, ImageDraw
    # Pillow knows no BGR. The colours that are drawn are turned round instead of the picture.
    image = Image.fromarray(np.ascontiguousarray(pixels))
    draw = ImageDraw.Draw(image)
    text = round(min(max(min(image.size) * _TEXT_SHARE, _SMALLEST_TEXT), _LARGEST_TEXT))
    for mark in marks:
        _draw(draw, mark, text)
    return np.array(image)


@lru_cache(maxsize=8)
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def _draw(draw: "ImageDraw", mark: Mark, text: int) -> None:
    color = _reversed(_UNJUDGED if mark.label is None else track_color(mark.track))
    x, y, width, height = mark.box
    line = max(text // 7, 1)
    draw.rectangle((x, y, x + width, y + height), outline=color, width=line)
    words = _words(mark)
    ranked = sorted(mark.probabilities.items(), key=lambda item: -item[1])[:_MOST_BARS]
    rows = [(_one_line(name), share) for name, share in ranked]
    if not words and not rows:
        return
    font = _font(text)
    row_height = round(text * 1.25)
    panel_width = max([draw.textlength(words, font), *(draw.textlength(name, font) * 2 for name, _ in rows)])
    panel_width = round(max(panel_width + text, min(width, text * 12) if rows else 0))
    panel_height = row_height * (bool(words) + len(rows))
    left, top = _place(draw.im.size, mark.box, (panel_width, panel_height))
    draw.rectangle((left, top, left + panel_width, top + panel_height), fill=_PAPER)
    if words:
        draw.rectangle((left, top, left + panel_width, top + row_height), fill=color)
        draw.text((left + text // 2, top), words, fill=_PAPER, font=font)
        top += row_height
    for name, share in rows:
        draw.rectangle((left, top + 1, left + round(panel_width * share), top + row_height - 1), fill=_dimmed(color))
        draw.text((left + text // 2, top), name, fill=_INK, font=font)
        top += row_height


def _words(mark: Mark) -> str:
    percent = None if mark.score is None else f"{mark.score * 100:.0f} %"
    number = None if mark.track is None else str(mark.track)
    return "  ".join(_one_line(word) for word in (number, mark.label, percent, mark.note) if word)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _place(size: tuple[int, int], box: tuple[float, float, float, float], panel: tuple[int, int]) -> tuple[int, int]:
    """Corner of a panel above the box, or below it, or within, wherever it is in the picture."""
    x, y, _, height = box
    left = round(min(max(x, 0), max(size[0] - panel[0] - 1, 0)))
    for top in (y - panel[1] - 1, y + height + 1):
        if 0 <= top <= size[1] - panel[1] - 1:
            return left, round(top)
    return left, round(min(max(y, 0), max(size[1] - panel[1] - 1, 0)))


def _dimmed(color: Color) -> Color:
    red, green, blue = (level * 5 // 8 for level in color)
    return red, green, blue


def _reversed(color: Color) -> Color:
    red, green, blue = color
    return blue, green, red
