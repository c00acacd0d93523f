"""Image stack: faces from image files, gray and of one size, as the one array that a `Dataset` holds.

If all images have one size of at most 64x64, they stay as they are. Otherwise every image is resized to 64x64 while it
is read, by the filter that feeds the network. The network then sees the same pixels, and a quarter of a million
photographs fit into memory.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from resemote_edge.data.members import Member
from resemote_edge.errors import DatasetError, InputError
from resemote_edge.vision.image import decode
from resemote_edge.vision.preprocessing import MIN_CROP_SIDE, resize_triangle, to_gray

__all__ = ["SIDE", "Box", "ImageSource", "Progress", "decode_gray", "read_stack"]

#: Function called now and then with (done, total) while images are read.
Progress: TypeAlias = Callable[[int, int], None]

#: Left, top, right, bottom in pixels; right and bottom are the first ones outside.
Box: TypeAlias = tuple[int, int, int, int]

#: Rows and columns of the network's input.
SIDE = 64

_EVERY = 500


@dataclass(frozen=True)
class ImageSource:
    """One face in one image file.

    Attributes:
        member: File of the image.
        box: Place of the face; None if the image is the face.
    """

    member: Member
    box: Box | None = None


def read_stack(sources: Sequence[ImageSource], where: str, progress: Progress | None = None) -> NDArray[np.uint8]:
    """Read faces into one array.

    Args:
        sources: Faces to read; a photograph is decoded once if its faces follow each other.
        where: Name of the dataset, for messages.
        progress: Function called with the number of faces done.

    Returns:
        Images, uint8 (N, H, W). If all have the same size of 64 or less, it is kept; else they are 64x64.

    Raises:
        DatasetError: A file is not an image, a face is too small, or a box lies outside its image; the message names
            the file.
    """
    images: list[NDArray[np.uint8]] = []
    name, photograph = "", np.empty((0, 0), dtype=np.uint8)
    for done, source in enumerate(sources):
        if source.member.name != name:
            photograph = decode_gray(source.member, where)
            name = source.member.name
        face = _cut(photograph, source, where)
        images.append(face if max(face.shape) <= SIDE else _resized(face))
        if progress and done % _EVERY == 0:
            progress(done, len(sources))
    if not images:
        return np.empty((0, SIDE, SIDE), dtype=np.uint8)
    if len({image.shape for image in images}) > 1:
        images = [_resized(image) for image in images]
    return np.stack(images)


def decode_gray(member: Member, where: str) -> NDArray[np.uint8]:
    """Decode an image file as gray, upright as its EXIF orientation says.

    Args:
        member: File of the image.
        where: Name of the dataset, for messages.

    Returns:
        uint8 (H, W), caller-owned.

    Raises:
        DatasetError: It is not an image, or the file is gone; the message names it.
        MissingDependencyError: Pillow is not installed.
    """
    name = f"{where}: {member.name}"
    try:
        pixels = decode(member.read())
    except FileNotFoundError:
        raise DatasetError(f"{name}: no such image file", hint="fetch the dataset again") from None
    except OSError as error:
        raise DatasetError(f"{name}: cannot be read ({error.strerror or error})") from None
    except InputError as error:
        raise DatasetError(f"{name}: {error}", hint="fetch the image again, or remove it") from None
    if pixels.ndim == 2:
        return pixels
    if min(pixels.shape[:2]) < MIN_CROP_SIDE:
        raise _too_small(pixels.shape, name)
    return to_gray(pixels, "rgb")


def _cut(photograph: NDArray[np.uint8], source: ImageSource, where: str) -> NDArray[np.uint8]:
    height, width = photograph.shape
    left, top, right, bottom = source.box or (0, 0, width, height)
    face = photograph[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    if min(face.shape) >= MIN_CROP_SIDE:
        # A copy, so that the photograph can be freed.
        return face.copy() if source.box else face
    if source.box is None:
        raise _too_small(photograph.shape, f"{where}: {source.member.name}")
    raise DatasetError(
        f"{where}: {source.member.name}: of the box {left},{top} to {right},{bottom} the image, {width}x{height}, "
        f"holds {face.shape[1]}x{face.shape[0]} pixels",
        hint="labels and images do not belong together, fetch both again",
    )


def _too_small(shape: tuple[int, ...], where: str) -> DatasetError:
    return DatasetError(
        f"{where}: {shape[1]}x{shape[0]} pixels",
        hint=f"a face must have at least {MIN_CROP_SIDE}x{MIN_CROP_SIDE}, remove it",
    )


def _resized(face: NDArray[np.uint8]) -> NDArray[np.uint8]:
    resized: NDArray[np.uint8] = resize_triangle(face[None], SIDE, SIDE)[0]
    return resized
