"""Documents are run: every fenced block of README.md and the guides, in order, in an empty folder.

A block after ``<!-- not run: reason -->`` is left out; one after ``<!-- needs: fer2013 -->`` runs if there is FER2013.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from resemote_edge.data.locate import find_fer2013
from resemote_edge.experiments.tables.documents import regenerate
from resemote_edge.vision.drawn import drawn_faces

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs" / "guides").glob("*.md"))]
#: Documents whose commands take seconds. `make test` runs these, and `make test-all` runs all.
QUICK = ("embedding.md", "live-page.md", "native.md", "native-tensorrt.md", "privacy.md", "training.md")
BLOCK = re.compile(r"(?:<!-- (not run|needs): ([^\n]*?) -->\n)?```(bash|python)\n(.*?)```", re.DOTALL)
LINK = re.compile(r"\]\((?!https?://|#)([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize(
    "document",
    [pytest.param(path, marks=() if path.name in QUICK else pytest.mark.slow, id=path.name) for path in DOCUMENTS],
)
def test_code_blocks_run(document, tmp_path):
    Image.fromarray(drawn_faces(1, side=96)[0]).save(tmp_path / "face.png")
    dataset = find_fer2013()
    if dataset is not None:
        (tmp_path / "fer2013.zip").symlink_to(dataset)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    ran = 0
    for mark, reason, language, code in BLOCK.findall(document.read_text(encoding="utf-8")):
        if mark == "not run" or (mark == "needs" and dataset is None):
            assert reason
            continue
        command = ["bash", "-euo", "pipefail", "-c", code] if language == "bash" else [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{document.name}:\n{code}\n{done.stdout}\n{done.stderr}"
        ran += 1
    assert ran > 0 or document.name != "README.md"


@pytest.mark.parametrize("document", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md")), ids=str)
def test_links_lead_somewhere(document):
    for target in LINK.findall(document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), f"{document}: {target}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_tables_are_those_of_the_committed_json(document):
    assert regenerate(document) == document.read_text(encoding="utf-8"), "run: make tables"
