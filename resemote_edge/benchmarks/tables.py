"""Tables of results in documents, generated from committed JSON and never typed.

A document holds ``<!-- table: FOLDER/report.json -->`` and ``<!-- end of table -->``; what stands between them is
replaced: ``python -m resemote_edge.benchmarks.tables README.md``.
"""

import re
import sys
from pathlib import Path

from resemote_edge.benchmarks.report import markdown_table
from resemote_edge.benchmarks.results import read_report
from resemote_edge.staging import write_file

__all__ = ["main", "regenerate"]

_BLOCK = re.compile(r"(<!-- table: (?P<source>\S+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def regenerate(document: Path) -> str:
    """The document's text with every table made anew from the JSON it names.

    Args:
        document: Markdown file; sources are relative to its folder.

    Raises:
        InputError: A source cannot be read.
    """

    def table(match: re.Match[str]) -> str:
        report = read_report(document.parent / match["source"])
        environment = report.environment
        measured = (
            f"Measured {report.created_utc[:10]} on {environment['cpu_model']} "
            f"({', '.join(environment['cpu_features'])}), {report.rows[0].threads} threads.\n\n"
        )
        return match.group(1) + measured + markdown_table(report) + match.group(3)

    return _BLOCK.sub(table, document.read_text(encoding="utf-8"))


def main(arguments: list[str]) -> int:
    """Rewrite the documents named."""
    for name in arguments:
        write_file(Path(name), regenerate(Path(name)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
