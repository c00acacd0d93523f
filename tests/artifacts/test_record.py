"""What reading a record says when it cannot be read: which field, what was found, what is expected."""

import json
from pathlib import Path

import msgspec
import pytest

from resemote_edge.artifacts.record import Record, read_record
from resemote_edge.errors import InputError


class Row(Record, frozen=True, kw_only=True):
    batch: int
    scenario: str = "single-stream"


class Report(Record, frozen=True, kw_only=True):
    schema: int = 2
    rows: tuple[Row, ...]


class Contest(Record, frozen=True, kw_only=True):
    schema: int = 1
    kind: str = "contest"


class Tagged(Record, frozen=True, kw_only=True, tag="tagged", tag_field="kind"):
    schema: int = 1


def read(tmp_path: Path, content: object, kind: type[Record] = Report, schema: int = 2) -> Record:
    path = tmp_path / "report.json"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return read_record(path, kind, what="a made-up report", schema=schema)


def test_what_was_written_is_read(tmp_path):
    report = Report(rows=(Row(batch=1),))
    assert read(tmp_path, report.to_json()) == report
    assert read(tmp_path, Contest().to_json(), Contest, 1) == Contest()
    assert read(tmp_path, Tagged().to_json(), Tagged, 1) == Tagged()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"schema": 2, "rows": [{"batch": 1}, {"batch": "8"}]}, ("`$.rows[1].batch`", "got `str`", "Expected `int`")),
        ({"schema": 2, "rows": [{}]}, ("`$.rows[0]`", "missing required field `batch`")),
        ({"schema": 2, "rows": [{"batch": 1, "btach": 2}]}, ("`$.rows[0]`", "unknown field `btach`")),
        ({"schema": 2}, ("missing required field `rows`",)),
    ],
)
def test_a_report_that_fails_its_schema_says_which_field(content, words, tmp_path):
    with pytest.raises(InputError, match=r"report\.json: does not match the schema of a made-up report: ") as raised:
        read(tmp_path, content)
    assert "not a made-up report" not in str(raised.value)
    assert [word for word in words if word not in str(raised.value)] == []


def test_another_schema_is_named_before_its_fields_are_looked_at(tmp_path):
    with pytest.raises(InputError, match="report schema 1, this version reads schema 2"):
        read(tmp_path, {"schema": 1, "table": []})


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[]", {"rows": []}, {"schema": "2"}])
def test_what_is_no_record_at_all_is_called_that(content, tmp_path):
    with pytest.raises(InputError, match="not a made-up report"):
        read(tmp_path, content)


def test_another_kind_is_named(tmp_path):
    with pytest.raises(InputError, match="not a made-up report: found the kind 'contest', expected ''"):
        read(tmp_path, msgspec.json.encode(Contest()))
    with pytest.raises(InputError, match="found the kind '', expected 'contest'"):
        read(tmp_path, Report(rows=()).to_json(), Contest, 1)


def test_a_file_that_cannot_be_opened_says_why(tmp_path):
    with pytest.raises(InputError, match="nowhere: cannot be read as a made-up report: No such file"):
        read_record(tmp_path / "nowhere", Report, what="a made-up report", schema=2)
