"""Boards: the files that come with the package, and files that are not valid."""

from pathlib import Path

import pytest

from resemote_edge.deploy.board import available_boards, find_board, version_numbers
from resemote_edge.deploy.prebuilt import GLIBC_FLOOR
from resemote_edge.errors import InputError
from resemote_edge.export.recipe import find_recipe

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", available_boards())
def test_a_board_names_recipes_that_fit_it(name):
    board = find_board(name)
    assert board.name == name
    # One build serves all boards.
    assert version_numbers(board.glibc) >= version_numbers(GLIBC_FLOOR)
    for engine in board.engines:
        recipe = find_recipe(engine.recipe)
        assert recipe.precision in engine.precisions
        assert engine.largest_opset == 0 or recipe.opset <= engine.largest_opset
        if engine.backend == "tensorrt":
            assert engine.compiled
            assert engine.versions is not None
            assert board.l4t is not None


def test_every_kind_of_board_is_there():
    assert {
        "jetson-nano",
        "jetson-orin-jetpack5",
        "jetson-orin-jetpack6",
        "jetson-thor",
        "jetson-xavier",
        "linux-x86-64",
        "raspberry-pi-5",
    } <= set(available_boards())


def test_an_unknown_board_lists_those_that_there_are():
    with pytest.raises(InputError, match="unknown board 'jetson'") as caught:
        find_board("jetson")
    assert "jetson-nano" in caught.value.hint


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("glibc =", "glibs ="), "glibs"),
        (('"2.28"', '"new"'), "glibc"),
        (("schema = 1", "schema = 9"), "board schema 9"),
        (('backend = "openvino"', 'backend = "onnxruntime"'), "an engine twice"),
        (('backend = "openvino"', 'backend = "tvm"'), "tvm"),
    ],
)
def test_a_bad_file_is_one_clear_error(tmp_path, change, says):
    from resemote_edge.deploy.board import _board_folder

    text = (_board_folder() / "linux-x86-64.toml").read_text()
    assert change[0] in text
    (tmp_path / "mine.toml").write_text(text.replace(*change))
    with pytest.raises(InputError, match=says):
        find_board(str(tmp_path / "mine.toml"))


def test_an_engine_that_a_board_lacks_lists_those_it_has():
    with pytest.raises(InputError, match="has no engine 'tensorrt'") as caught:
        find_board("raspberry-pi-5").engine("tensorrt")
    assert caught.value.hint == "choose one of onnxruntime"


def test_the_guide_tells_the_versions_of_every_board():
    guide = (ROOT / "docs" / "guides" / "boards.md").read_text()
    for name in available_boards():
        board = find_board(name)
        (row,) = [line for line in guide.splitlines() if line.startswith(f"| `{name}`")]
        cells = [cell.strip() for cell in row.split("|")[3:5]]
        assert cells == ["{}, below {}".format(*board.l4t) if board.l4t else "", board.glibc], name
