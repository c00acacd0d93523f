"""A notice is on the picture, legible, and what cannot be shown is refused."""

import numpy as np
import pytest

from resemote_edge.camera.privacy.notice import MOST_LETTERS, draw_notice
from resemote_edge.errors import InputError

TEXT = "Expressions of faces are counted here. No picture is stored."


def test_a_notice_covers_the_lower_edge_alone() -> None:
    pixels = np.full((480, 640, 3), 90, dtype=np.uint8)
    noticed = draw_notice(pixels, TEXT)
    assert (pixels == 90).all()
    rows = np.flatnonzero((noticed != 90).any(axis=(1, 2)))
    assert rows[-1] == 479
    assert len(rows) < 480 / 5
    banner = noticed[rows[0] :]
    assert banner.min() < 30
    assert banner.max() > 200


def test_a_long_notice_takes_several_lines_and_more_letters_leave_more_ink() -> None:
    pixels = np.full((480, 640, 3), 90, dtype=np.uint8)
    short, long = draw_notice(pixels, TEXT), draw_notice(pixels, f"{TEXT} {TEXT}")
    heights = [(picture != 90).any(axis=(1, 2)).sum() for picture in (short, long)]
    assert heights[1] > heights[0]
    assert (long > 200).sum() > 1.7 * (short > 200).sum()


def test_other_alphabets_are_drawn() -> None:
    pixels = np.zeros((480, 640, 3), dtype=np.uint8)
    assert not np.array_equal(draw_notice(pixels, "Lächeln"), draw_notice(pixels, "Lacheln"))


@pytest.mark.parametrize(
    ("text", "size", "found"),
    [
        ("", (480, 640), "0 letters"),
        ("  \n", (480, 640), "3 letters"),
        ("x" * (MOST_LETTERS + 1), (480, 640), "301 letters"),
        ("word " * 60, (48, 64), "does not fit"),
        ("unbreakable" * 9, (480, 640), "does not fit"),
        ("\U00012000", (480, 640), "no font here has"),
    ],
)
def test_what_cannot_be_shown_is_refused(text: str, size: tuple[int, int], found: str) -> None:
    with pytest.raises(InputError) as caught:
        draw_notice(np.zeros((*size, 3), dtype=np.uint8), text)
    assert found in caught.value.reason
    assert caught.value.hint
