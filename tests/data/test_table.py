import io

import pytest

from resemote_edge.data.datasets.affectnet import load_affectnet
from resemote_edge.data.datasets.expw import load_expw
from resemote_edge.data.datasets.ferplus import load_ferplus
from resemote_edge.data.datasets.rafdb import load_rafdb
from resemote_edge.data.table import MAX_LINE, lines_of, rows_of
from resemote_edge.errors import DatasetError

VOTES = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"


def rows(content):
    return list(rows_of(io.BytesIO(content), "x.csv"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("mark", [",", ";", "\t", "|", " "])
def test_rows_whatever_saved_them(encoding, mark):
    text = f"name{mark}label\r\n\r\nm\u00fcde.png{mark}3\r\n"
    assert rows(text.encode(encoding)) == [(1, ["name", "label"]), (3, ["m\u00fcde.png", "3"])]


def test_bytes_that_are_no_utf_8_are_kept():
    assert rows(b"caf\xe9.png,3") == [(1, ["caf\udce9.png", "3"])]


BAD = {
    "endless line": (b"a," * (MAX_LINE // 2) + b"a", r"x.csv:1: a line of more than 1,048,576 characters"),
    "endless field": (b'a,b\n"' + b"x" * 200_000, r"x.csv:2: not a readable CSV row \(field larger"),
    "UTF-16 cut": (b"\xff\xfea\0,", r"x.csv:1: not a readable text"),
    "pointer": (b"version https://git-lfs.github.com/spec/v1\n", "x.csv: a Git LFS pointer, not a text file; run: git"),
    "zip": (b"PK\x03\x04", "x.csv: a zip archive, not a text file; unpack it"),
    "nothing": (b"", "x.csv: an empty file"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_table_is_named(case):
    content, words = BAD[case]
    with pytest.raises(DatasetError, match=words):
        rows(content)


def test_a_sparse_table_is_not_read_into_memory(tmp_path):
    with (tmp_path / "x.csv").open("wb") as stream:
        stream.truncate(3_000_000_000)
    with (tmp_path / "x.csv").open("rb") as stream, pytest.raises(DatasetError, match="a line of more than"):
        next(lines_of(stream, "x.csv"))


@pytest.mark.parametrize(
    ("load", "name"),
    [
        (load_ferplus, "fer2013new.csv"),
        (load_rafdb, "EmoLabel/list_patition_label.txt"),
        (load_affectnet, "training.csv"),
        (load_expw, "label/label.lst"),
    ],
)
def test_every_published_list_is_read_so(load, name, tmp_path):
    (tmp_path / "image" / "origin").mkdir(parents=True)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    with pytest.raises(DatasetError, match=f"{name}: a Git LFS pointer, not a text file; run: git lfs pull"):
        load(tmp_path)


def test_votes_with_semicolons_and_a_mark(tmp_path):
    text = VOTES.replace(",", ";") + "Training;fer0000000.png;4;0;0;1;3;2;0;0;0;0\n"
    (tmp_path / "fer2013new.csv").write_bytes(text.encode("utf-16"))
    with pytest.raises(DatasetError, match=r"fer2013new.csv:2, has no image"):
        load_ferplus(tmp_path)
