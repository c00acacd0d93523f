"""The table of embedded weights: what their model cards say, the widest first."""

import json
import shutil

import pytest

from resemote_edge.errors import InputError
from resemote_edge.experiments.tables.documents import regenerate
from resemote_edge.experiments.tables.weights import weights_table
from resemote_edge.weights import EMBEDDED, embedded_checkpoint

FOLDER = embedded_checkpoint("xs").parent


def test_every_embedded_checkpoint_has_its_line():
    headers, _, *lines = (line.strip("| ").split(" | ") for line in weights_table(FOLDER).splitlines())
    assert [line[0] for line in lines] == list(EMBEDDED.values())
    for variant, line in zip(EMBEDDED, lines, strict=True):
        card = json.loads(embedded_checkpoint(variant).with_suffix(".json").read_text())
        said = dict(zip(headers, line, strict=True))
        assert said["width"] == str(card["width"])
        assert said["test split (95 %)"].startswith(f"{card['accuracy']['fer2013_test'] * 100:.2f} % (")
        assert said["validation"] == f"{card['accuracy']['fer2013_validation'] * 100:.2f} %"
        assert float(said["file MB"]) == pytest.approx(embedded_checkpoint(variant).stat().st_size / 1e6, abs=0.05)


def test_documents_take_it(tmp_path):
    for suffix in (".safetensors", ".json"):
        shutil.copy(embedded_checkpoint("xs").with_suffix(suffix), tmp_path)
    document = tmp_path / "page.md"
    document.write_text("<!-- table: . -->\n<!-- end of table -->\n")
    assert weights_table(tmp_path) in regenerate(document)
    document.write_text("<!-- table: .#accuracy -->\n<!-- end of table -->\n")
    with pytest.raises(InputError, match="has one table"):
        regenerate(document)


def test_a_folder_that_cannot_be_told_of(tmp_path):
    with pytest.raises(InputError, match=r"holds no \.safetensors file"):
        weights_table(tmp_path)
    shutil.copy(embedded_checkpoint("xs"), tmp_path / "own.safetensors")
    with pytest.raises(InputError, match=r"own\.json: not a model card with accuracies \(FileNotFoundError"):
        weights_table(tmp_path)
    (tmp_path / "own.json").write_text('{"name": "own", "width": 16}')
    with pytest.raises(InputError, match=r"own\.json: not a model card with accuracies \(KeyError: 'evaluation'\)"):
        weights_table(tmp_path)
