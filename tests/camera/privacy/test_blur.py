"""Blurred faces: what is left is a handful of colours, and the rest of the picture is as it was."""

import numpy as np
import pytest
from sink_parts import face

from resemote_edge.camera.privacy.blur import COLORS, blur_faces
from resemote_edge.errors import InputError
from resemote_edge.faces.face import Face
from resemote_edge.vision.drawn import drawn_faces


def scene(seed: int = 0) -> np.ndarray:
    pixels = np.full((200, 300, 3), 90, dtype=np.uint8)
    pixels[50:146, 100:196] = drawn_faces(1, side=96, seed=seed)[0]
    return pixels


BOX = Face(x=104.0, y=54.0, width=84.0, height=88.0)


def test_a_face_is_gone_and_the_input_and_the_rest_are_not_touched() -> None:
    pixels = scene()
    before = pixels.copy()
    blurred = blur_faces(pixels, [BOX])
    assert np.array_equal(pixels, before)
    changed = np.argwhere((blurred != pixels).any(axis=-1))
    # The square around the box: 1.6 times its size, to a pixel.
    assert (changed.min(axis=0) >= (98 - 69, 146 - 69)).all()
    assert (changed.max(axis=0) <= (98 + 69, 146 + 69)).all()
    inside = blurred[54:142, 104:188].astype(int)
    assert np.abs(np.diff(inside, axis=0)).max() <= 16, "an edge of the face is left"
    assert np.abs(np.diff(inside, axis=1)).max() <= 16, "an edge of the face is left"


def test_faces_that_differ_in_detail_alone_become_the_same() -> None:
    pixels = scene()
    other = pixels.copy()
    rng = np.random.default_rng(0)
    # Shuffle the pixels within each part that becomes one colour: any detail, the same mean.
    edges = [29 + 138 * part // COLORS for part in range(COLORS + 1)], [77 + 138 * part // COLORS for part in range(5)]
    for top, bottom in zip(edges[0][:-1], edges[0][1:], strict=True):
        for left, right in zip(edges[1][:-1], edges[1][1:], strict=True):
            part = other[top:bottom, left:right].reshape(-1, 3)
            other[top:bottom, left:right] = rng.permutation(part).reshape(bottom - top, right - left, 3)
    assert not np.array_equal(pixels, other)
    difference = np.abs(blur_faces(pixels, [BOX]).astype(int) - blur_faces(other, [BOX]))
    assert np.median(difference) == 0


def test_little_is_left_of_a_face() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (200, 200, 3), dtype=np.uint8)
    left = blur_faces(noise, [Face(x=50, y=50, width=100, height=100)])[21:180, 21:180]
    levels = {int(value) for value in left[:: 159 // COLORS, :: 159 // COLORS].ravel()}
    assert all(0 <= level <= 255 for level in levels)
    assert np.linalg.matrix_rank(left[..., 0].astype(float) - left[..., 0].mean(), tol=100) <= COLORS


@pytest.mark.parametrize(
    "box", [(-40.0, -40.0, 60.0, 60.0), (290.0, 190.0, 60.0, 60.0), (0.0, 0.0, 300.0, 200.0), (150.0, 100.0, 2.0, 2.0)]
)
def test_boxes_over_the_border_and_of_any_size_are_blurred(box: tuple[float, float, float, float]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)
    x, y, width, height = box
    blurred = blur_faces(pixels, [Face(x=x, y=y, width=width, height=height)])
    assert blurred.shape == pixels.shape
    top, left = max(int(y), 0), max(int(x), 0)
    assert not np.array_equal(blurred[top : top + 2, left : left + 2], pixels[top : top + 2, left : left + 2])


def test_boxes_outside_the_picture_change_nothing() -> None:
    pixels = scene()
    assert np.array_equal(blur_faces(pixels, [Face(x=900, y=900, width=50, height=50)]), pixels)


def test_faces_of_results_are_blurred_too_and_a_box_without_area_is_an_error() -> None:
    assert not np.array_equal(blur_faces(scene(), [face(5)]), scene())
    with pytest.raises(InputError):
        blur_faces(scene(), [face(1, width=0.0)])
