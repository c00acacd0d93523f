"""Tables of results in documents, generated from committed JSON and never typed.

A document holds ``<!-- table: FOLDER/report.json -->`` and ``<!-- end of table -->``; what stands between them is
replaced: ``python -m resemote_edge.benchmarks.tables README.md``. The source may be the report of `bench` or of a
suite; ``FOLDER/report.json#ratios`` gives a suite's second table.
"""

import re
import sys
from functools import partial
from pathlib import Path

import msgspec

from resemote_edge.benchmarks.report import markdown_table
from resemote_edge.benchmarks.results import read_report
from resemote_edge.benchmarks.suite_report import latency_table, measured_line, ratio_table
from resemote_edge.benchmarks.suite_results import read_suite_report
from resemote_edge.errors import InputError
from resemote_edge.staging import write_file

__all__ = ["main", "regenerate"]

_BLOCK = re.compile(r"(<!-- table: (?P<source>\S+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def regenerate(document: Path) -> str:
    """The document's text with every table made anew from the JSON it names.

    Args:
        document: Markdown file; sources are relative to its folder.

    Raises:
        InputError: A source cannot be read, or has no table of that name.
    """
    return _BLOCK.sub(partial(_block, document.parent), document.read_text(encoding="utf-8"))


def _block(folder: Path, match: re.Match[str]) -> str:
    source, _, name = match["source"].partition("#")
    path = folder / source
    table = _suite_table(path, name) if _is_suite(path) else _bench_table(path, name)
    return match.group(1) + table + match.group(3)


def _is_suite(path: Path) -> bool:
    """Whether a report says that it is a suite's; whatever is wrong with it is told by whoever reads it in full."""
    try:
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return False
    return isinstance(found, dict) and found.get("kind") == "suite"


def _suite_table(path: Path, name: str) -> str:
    tables = {"": latency_table, "ratios": ratio_table}
    if name not in tables:
        raise InputError(f"{path}#{name}: a suite's report has no such table; write #ratios or nothing after the path")
    report = read_suite_report(path)
    return f"{measured_line(report)}\n\n{tables[name](report)}"


def _bench_table(path: Path, name: str) -> str:
    if name:
        raise InputError(f"{path}#{name}: the report of bench has one table; write nothing after the path")
    report = read_report(path)
    environment = report.environment
    measured = (
        f"Measured {report.created_utc[:10]} on {environment['cpu_model']} "
        f"({', '.join(environment['cpu_features'])}), {report.rows[0].threads} threads.\n\n"
    )
    return measured + markdown_table(report)


def main(arguments: list[str]) -> int:
    """Rewrite the documents named."""
    for name in arguments:
        write_file(Path(name), regenerate(Path(name)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
