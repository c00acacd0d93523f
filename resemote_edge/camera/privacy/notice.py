"""Notice: a line of text on every picture, such as one that tells people what is done here."""

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError, needs

__all__ = ["MOST_LETTERS", "draw_notice"]

#: Letters of a notice at most.
MOST_LETTERS = 300

#: Size of the letters, in units of the picture's height; and the smallest one that can be read, pixels.
_LETTER_SIZE = 1 / 28
_LEAST_LETTER_SIZE = 12

#: Share of the picture's height that the notice may cover.
_MOST_COVERED = 0.5

_BACKGROUND = (16, 16, 16)
_LETTERS = (255, 255, 255)


def draw_notice(pixels: NDArray[np.uint8], text: str) -> NDArray[np.uint8]:
    """Draw a notice over the lower edge of a picture: white on black, in as many lines as it takes.

    Args:
        pixels: Picture, uint8 (H, W, 3), any order of channels; not modified.
        text: The notice.

    Returns:
        A picture of the same shape, caller-owned.

    Raises:
        InputError: The notice is empty or too long, does not fit on the picture, or has letters that no font here has.
        MissingDependencyError: Pillow is not installed.
    """
    height, width = pixels.shape[:2]
    banner = _banner(text, width, height)
    noticed = pixels.copy()
    noticed[height - banner.shape[0] :] = banner
    return noticed


@lru_cache(maxsize=4)
def _banner(text: str, width: int, height: int) -> NDArray[np.uint8]:
    """The banner of a picture, drawn once: uint8 (rows, width, 3)."""
    with needs("images", "drawing a notice", "PIL"):
        from PIL import Image, ImageDraw
    if not text.strip() or len(text) > MOST_LETTERS:
        raise InputError(f"a notice of {len(text)} letters", hint=f"write 1 to {MOST_LETTERS}")
    size = max(round(height * _LETTER_SIZE), _LEAST_LETTER_SIZE)
    font = _font(size)
    missing = "".join(sorted(letter for letter in set(text) if not letter.isspace() and not _has(font, letter)))
    if missing:
        raise InputError(
            f"the notice has letters that no font here has: {missing}",
            hint="install the font DejaVu Sans (on Debian: fonts-dejavu-core), or write it in other letters",
        )
    lines = _lines(text, font, width - size)
    line_height = round(size * 1.4)
    rows = line_height * len(lines) + size // 2
    if rows > height * _MOST_COVERED or max(font.getlength(line) for line in lines) > width:
        raise InputError(f"the notice does not fit on a picture of {width}x{height} pixels", hint="write less")
    banner = Image.new("RGB", (width, rows), _BACKGROUND)
    draw = ImageDraw.Draw(banner)
    for number, line in enumerate(lines):
        draw.text((size // 2, size // 4 + number * line_height), line, fill=_LETTERS, font=font)
    return np.asarray(banner)


def _font(size: int) -> Any:
    """DejaVu Sans, which has the letters of most alphabets, or the font that Pillow carries."""
    from PIL import ImageFont

    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default(size)


def _has(font: Any, letter: str) -> bool:
    """Whether a font can draw a letter: it is not the sign for letters that are missing."""
    absent = font.getmask("\U0010ffff")
    found = font.getmask(letter)
    return (found.size, bytes(found)) != (absent.size, bytes(absent))


def _lines(text: str, font: Any, width: int) -> list[str]:
    """Break a text into lines that are no wider than `width` pixels, where its words allow."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
