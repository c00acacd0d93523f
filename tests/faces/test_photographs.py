"""Where annotated copies of photographs go."""

from pathlib import Path

import pytest

from resemote_edge.errors import InputError
from resemote_edge.faces.photographs import drawing_paths


def test_a_file_for_one_and_a_folder_for_several(tmp_path):
    one, two = Path("a/one.jpg"), Path("b/two.png")
    assert drawing_paths([one], tmp_path / "x.png", force=False) == [tmp_path / "x.png"]
    assert drawing_paths([one, two], tmp_path / "out", force=False) == [
        tmp_path / "out" / "one.png",
        tmp_path / "out" / "two.png",
    ]
    (tmp_path / "odd.png").mkdir()
    assert drawing_paths([one], tmp_path / "odd.png", force=False) == [tmp_path / "odd.png" / "one.png"]
    (tmp_path / "v1.2").mkdir()
    assert drawing_paths([one], tmp_path / "v1.2", force=False) == [tmp_path / "v1.2" / "one.png"]


@pytest.mark.parametrize(
    ("paths", "place", "message"),
    [
        (["a.jpg", "b.jpg"], "x.png", "one file for 2 pictures; pass a folder"),
        (["a.jpg"], "x.jpg", r"written as PNG; pass a \.png file or a folder"),
        (["a/x.jpg", "b/x.png"], "out", "two pictures would be drawn in out/x.png"),
        (["out/x.png"], "out", "out/x.png is one of the pictures themselves"),
        (["x.png"], "x.png", "x.png is one of the pictures themselves"),
    ],
)
def test_what_would_be_lost_is_refused(paths, place, message):
    with pytest.raises(InputError, match=message):
        drawing_paths([Path(path) for path in paths], Path(place), force=True)
