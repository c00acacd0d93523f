import json
from pathlib import Path

import pytest

from resemote_edge.benchmarks.report.schema import report_schema
from resemote_edge.measuring.results import BenchReport, read_report

ROOT = Path(__file__).resolve().parents[3]
#: Reports of contests and ablations have another kind, and say so.
REPORTS = [
    path
    for path in sorted((ROOT / "benchmarks" / "results").glob("*/*/report.json"))
    if "kind" not in json.loads(path.read_bytes())
]


def test_the_published_schema_is_that_of_the_code():
    made = json.dumps(report_schema(), indent=2, ensure_ascii=False) + "\n"
    published = (ROOT / "docs" / "report.schema.json").read_text(encoding="utf-8")
    assert published == made, "run: resemote-edge bench report --schema > docs/report.schema.json"


def test_every_key_is_described():
    for name, definition in report_schema()["$defs"].items():
        assert definition["description"], name
        for key, about in definition["properties"].items():
            assert key in ("type", "state") or about.get("description"), (name, key)  # these tell structs apart
            assert "None" not in about.get("description", "")


def test_the_schema_is_of_one_version_and_knows_every_key():
    schema = report_schema()["$defs"]["BenchReport"]
    assert schema["properties"]["schema"]["const"] == BenchReport.__struct_defaults__[0]
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.parent.name)
def test_committed_reports_are_read(path):
    assert read_report(path).rows
