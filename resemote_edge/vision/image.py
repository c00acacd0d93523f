"""Reading one image file."""

import io
import os
import stat
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError, needs, not_enough_memory
from resemote_edge.vision.preprocessing import MIN_CROP_SIDE, ColorOrder, PreprocessSpec
from resemote_edge.vision.signatures import HEAD_BYTES, IMAGE_FORMATS, foreign

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = [
    "MAX_FILE_BYTES",
    "check_file",
    "decode",
    "read_face",
    "read_faces",
    "read_file",
    "read_rgb",
    "require_files",
]

#: Largest image file that is read, in bytes.
MAX_FILE_BYTES = 256 << 20

#: Bytes below which a file is no photograph that Pillow would warn of; silencing it takes time.
_PHOTOGRAPH_BYTES = 1 << 20

_ORIENTATION = 0x0112

#: From pixels as stored to the picture upright, by EXIF orientation; views, so that a photograph is not copied.
_UPRIGHT: dict[Any, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: np.rot90,
}

#: Pixels that are converted at a time, so that a photograph of 100 megapixels is in memory twice and not five times.
_STRIP_PIXELS = 1 << 20

#: Level of 255 that some pixel of a 16-bit image must reach. Files that hold 14 bits or fewer in 16 stay below it.
_LEAST_OF_SIXTEEN_BITS = 64


def check_file(path: str | Path, limit: int = MAX_FILE_BYTES) -> None:
    """Refuse what is not a regular file, or too large a one, before it is opened.

    Args:
        path: Path of the file.
        limit: Largest size, in bytes.

    Raises:
        InputError: It is a folder, a pipe or a device, or larger; the message does not name the path.
        OSError: There is no such file, or its facts cannot be read.
    """
    facts = os.stat(path)
    if not stat.S_ISREG(facts.st_mode):
        raise InputError(f"{_kind_of_file(facts.st_mode)} rather than a file", hint="pass a file")
    if facts.st_size > limit:
        raise InputError(f"{facts.st_size / 1e6:,.0f} MB", hint=f"files of up to {limit / 1e6:,.0f} MB are read")


def _kind_of_file(mode: int) -> str:
    kinds = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}
    return kinds.get(stat.S_IFMT(mode), "a device")


def read_file(path: str | Path, limit: int = MAX_FILE_BYTES) -> bytes:
    """Read a regular file whole; see `check_file` for what is refused."""
    check_file(path, limit)
    return Path(path).read_bytes()


def decode(data: bytes) -> NDArray[np.uint8]:
    """Decode an image file, upright as its EXIF orientation says.

    Args:
        data: Bytes of the file, in one of `IMAGE_FORMATS`. Others are refused before Pillow's code for them acts.

    Returns:
        uint8 (H, W) if the file is gray, else uint8 (H, W, 3), RGB; caller-owned.

    Raises:
        InputError: It is not a whole image, has too many pixels, or pixels whose range is not stated; the message does
            not name the file.
        MissingDependencyError: Pillow is not installed.
    """
    with needs("images", "reading image files"):
        from PIL import Image, UnidentifiedImageError
    try:
        with warnings.catch_warnings() if len(data) > _PHOTOGRAPH_BYTES else nullcontext():
            # Pillow warns of half as many pixels as it refuses; photographs have them.
            if len(data) > _PHOTOGRAPH_BYTES:
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data), formats=IMAGE_FORMATS)
        with image:
            return _upright_pixels(image)
    except UnidentifiedImageError:
        cure = "save it as JPEG or PNG"
        name, cure = foreign(data[:HEAD_BYTES], otherwise=cure) or ("none of the formats that are read", cure)
        raise InputError(
            f"not a readable image ({name}, and only {', '.join(IMAGE_FORMATS)} are read)", hint=cure
        ) from None
    except MemoryError:
        lacking = not_enough_memory()
        raise InputError(f"not a readable image ({lacking.reason})", hint=f"shrink it, or {lacking.hint}") from None
    except Exception as error:
        # Pillow's plugins raise errors of any type on damaged files, SyntaxError and struct.error among them.
        raise InputError(f"not a readable image ({error or type(error).__name__})") from None


def _upright_pixels(image: "Image") -> NDArray[np.uint8]:
    tiles = getattr(image, "tile", [])
    raw = tiles[0][3] if tiles else ""
    layout, most = (raw[0], raw[-1]) if isinstance(raw, tuple) else (raw, None)
    deep = ";16" in str(layout) or (image.format == "PPM" and isinstance(most, int) and most > 255)
    image.load()
    if image.mode.startswith("I;16") or (image.mode == "I" and deep and not str(layout).endswith("S")):
        pixels = (np.asarray(image) >> 8).astype(np.uint8)
    elif image.mode in ("I", "F"):
        raise ValueError(f"pixels of mode {image.mode} have no stated range; save it with 8 or 16 bits")
    else:
        pixels = _converted(image, "L" if image.mode == "L" else "RGB")
    if deep and (brightest := int(pixels.max(initial=0))) < _LEAST_OF_SIXTEEN_BITS:
        raise ValueError(
            f"16 bits a channel, and the brightest pixel is at {brightest / 255:.1%} of their range, as in files that "
            "hold 10, 12 or 14 bits; scale the pixels to the full range or save it with 8 bits"
        )
    turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION))
    return pixels if turn is None else turn(pixels)


def _converted(image: "Image", mode: str) -> NDArray[np.uint8]:
    """Pixels in another mode, a strip at a time."""
    width, height = image.size
    rows = max(1, _STRIP_PIXELS // width)
    if height <= rows:
        return np.array(image if image.mode == mode else image.convert(mode), dtype=np.uint8)
    pixels = np.empty((height, width, 3)[: 2 if mode == "L" else 3], dtype=np.uint8)
    for top in range(0, height, rows):
        strip = image.crop((0, top, width, min(top + rows, height)))
        pixels[top : top + rows] = np.asarray(strip if strip.mode == mode else strip.convert(mode))
    return pixels


def require_files(paths: Sequence[Path]) -> None:
    """Refuse image files that are not there, or are no regular files, before work begins; see `check_file`."""
    for path in paths:
        with _naming(path):
            check_file(path)


def read_faces(paths: Sequence[Path], preprocessing: PreprocessSpec) -> tuple[list[NDArray[np.uint8]], ColorOrder]:
    """Read face crops at a network's size, one after the other, so that no two photographs are in memory at once.

    Args:
        paths: Image files.
        preprocessing: Demands of the network. What it makes of the crops is what it would make of the images.

    Returns:
        One crop per file, uint8 (height, width) or (height, width, 3), and the channel order of them all.

    Raises:
        InputError: A file cannot be read (see `read_rgb`), or an image is too small; the message names the file.
    """
    faces = [preprocessing.sized([read_face(path)], "rgb") for path in paths]
    return [sized[0] for sized, _ in faces], faces[0][1] if faces else "gray"


def read_face(path: Path) -> NDArray[np.uint8]:
    """`read_rgb`, for an image that must be usable as a face crop.

    Raises:
        InputError: The file cannot be read (see `read_rgb`), or the image is too small; the message names the file.
    """
    crop = read_rgb(path)
    if min(crop.shape[:2]) < MIN_CROP_SIDE:
        size = f"{crop.shape[1]}x{crop.shape[0]}"
        raise InputError(
            f"{path}: {size} pixels", hint=f"a face crop must be at least {MIN_CROP_SIDE}x{MIN_CROP_SIDE} pixels"
        )
    return crop


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Read an image file as RGB, turned upright as its EXIF orientation says.

    Args:
        path: File in one of `IMAGE_FORMATS`, of up to `MAX_FILE_BYTES`.

    Returns:
        uint8 (H, W, 3), RGB, caller-owned; any strides.

    Raises:
        InputError: There is no such file, or it is not an image that is read (see `decode`); the message names it.
        MissingDependencyError: Pillow is not installed.
    """
    with _naming(path):
        pixels = decode(read_file(path))
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """A context whose errors name the file."""
    try:
        yield
    except FileNotFoundError:
        raise InputError(f"{path}: no such image file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error})") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
