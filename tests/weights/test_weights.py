"""The embedded weights: each variant is what its name, its card and the table say."""

import json
from pathlib import Path

import pytest

from resemote_edge.errors import InputError
from resemote_edge.models.checkpoint import load_checkpoint
from resemote_edge.models.resemotenet import WIDTHS
from resemote_edge.weights import (
    DEFAULT_NAME,
    EMBEDDED,
    choose_checkpoint,
    default_checkpoint,
    embedded_checkpoint,
    named_checkpoint,
)

FOLDER = default_checkpoint().parent


def test_every_file_is_in_the_table_and_the_default_too():
    assert {path.stem for path in FOLDER.glob("*.safetensors")} == set(EMBEDDED.values())
    assert DEFAULT_NAME in EMBEDDED.values()
    assert default_checkpoint().stem == DEFAULT_NAME


@pytest.mark.parametrize("variant", EMBEDDED)
def test_a_variant_is_what_its_card_says(variant):
    path = embedded_checkpoint(variant)
    loaded = load_checkpoint(path)
    card = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    assert card["name"] == path.stem
    assert loaded.width == card["width"] == WIDTHS[variant]
    assert loaded.labels_source == "file"
    assert card["storage"] == {"dtype": loaded.stored_dtype, "layout": loaded.stored_layout}
    assert path.with_suffix(".md").is_file()
    assert path.stat().st_size <= 40_000_000


def test_a_variant_that_is_not_embedded():
    with pytest.raises(InputError, match=r"'huge' are embedded; choose among base \(resemotenet-base-fer2013\), s"):
        embedded_checkpoint("huge")


def test_one_way_of_naming_weights_at_a_time():
    assert choose_checkpoint(None, None) == default_checkpoint()
    assert choose_checkpoint(Path("own.pt"), None) == Path("own.pt")
    assert choose_checkpoint(None, "s") == embedded_checkpoint("s")
    with pytest.raises(InputError, match="both name weights"):
        choose_checkpoint(Path("own.pt"), "s")


def test_a_name_is_an_embedded_variant_or_a_path():
    assert named_checkpoint("s") == embedded_checkpoint("s")
    assert named_checkpoint("./s") == Path("s")
    assert named_checkpoint("runs/own.pt") == Path("runs/own.pt")
