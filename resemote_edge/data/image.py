"""Reading one image file."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError, missing_dependency

__all__ = ["read_rgb"]


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read an image file as RGB, turned upright as its EXIF orientation says.

    Args:
        path: Any format Pillow reads.

    Returns:
        uint8 (H, W, 3), RGB, caller-owned.

    Raises:
        InputError: No such file, or not an image.
        MissingDependencyError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise missing_dependency("PIL", "images", "reading image files") from None
    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            return np.array(upright.convert("RGB"), dtype=np.uint8)
    except FileNotFoundError:
        raise InputError(f"{path}: no such image file") from None
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise InputError(f"{path}: not a readable image ({error})") from None
