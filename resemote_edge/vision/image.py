"""Reading one image file."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError, needs
from resemote_edge.vision.preprocessing import MIN_CROP_SIDE

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["eight_bits", "read_face", "read_rgb"]


def eight_bits(image: "Image") -> "Image":
    """An image with eight bits a channel.

    Pillow's own conversion clips deeper images instead of scaling them, which turns most of them white.

    Args:
        image: Image of any mode.

    Returns:
        16-bit gray scaled down; any other image as it is.

    Raises:
        ValueError: The pixels are 32-bit integers or floating, and no file states their range.
    """
    from PIL import Image

    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode} have no stated range; save it with 8 or 16 bits")
    return image


def read_face(path: Path) -> NDArray[np.uint8]:
    """`read_rgb`, for an image that must be usable as a face crop.

    Raises:
        InputError: The file cannot be read (see `read_rgb`), or the image is too small; the message names the file.
    """
    crop = read_rgb(path)
    if min(crop.shape[:2]) < MIN_CROP_SIDE:
        size = f"{crop.shape[1]}x{crop.shape[0]}"
        raise InputError(f"{path}: {size} pixels; a face crop must be at least {MIN_CROP_SIDE}x{MIN_CROP_SIDE} pixels")
    return crop


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read an image file as RGB, turned upright as its EXIF orientation says.

    Args:
        path: File in any format Pillow reads.

    Returns:
        uint8 (H, W, 3), RGB, caller-owned.

    Raises:
        InputError: There is no such file, or it is not an image.
        MissingDependencyError: Pillow is not installed.
    """
    with needs("images", "reading image files"):
        from PIL import Image, ImageOps, UnidentifiedImageError
    try:
        with Image.open(path) as image:
            upright = eight_bits(ImageOps.exif_transpose(image))
            return np.array(upright.convert("RGB"), dtype=np.uint8)
    except FileNotFoundError:
        raise InputError(f"{path}: no such image file") from None
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable image ({error})") from None
