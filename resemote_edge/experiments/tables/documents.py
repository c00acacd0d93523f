"""Tables of results in documents, generated from committed JSON and never typed.

A document holds ``<!-- table: FOLDER/report.json -->`` and ``<!-- end of table -->``; the text between them is
replaced. The source may be the report of `bench`, of a contest or of an ablation, the file of `explain`, the summary of
`verdict_check` or of `native_check`, the report of `gpu` (``#percentiles``, ``#device``), a list of devices in TOML, or
a folder of weights with their model cards.
``FOLDER/report.json#ratios`` gives a contest's ratios, ``#accuracy`` the accuracies of `bench` and of a contest,
``#differences`` those of accuracy in a contest, ``#validity`` the checks of the timer in `bench`, ``#camera`` and the
other scenarios their results.
"""

import re
from functools import partial
from pathlib import Path

import msgspec

from resemote_edge.benchmarks.explain.explanation import read_explanation
from resemote_edge.benchmarks.explain.report import layer_markdown
from resemote_edge.benchmarks.report.columns import OUTCOME_COLUMNS
from resemote_edge.benchmarks.report.markdown import accuracy_table, markdown_table, outcome_table, validity_table
from resemote_edge.errors import InputError
from resemote_edge.experiments.ablation.report import ablation_line, ablation_table, read_ablation_report
from resemote_edge.experiments.contest.report import (
    difference_table,
    latency_table,
    measured_line,
    ratio_table,
    row_accuracy_table,
)
from resemote_edge.experiments.contest.results import read_contest_report
from resemote_edge.experiments.gpu.results import gpu_table, read_gpu_report
from resemote_edge.experiments.native_check.report import native_validity_table, read_native_validity
from resemote_edge.experiments.tables.devices import device_table
from resemote_edge.experiments.tables.weights import weights_table
from resemote_edge.experiments.verdict_check.report import comparison_validity_table, read_comparison_validity
from resemote_edge.measuring.results import read_report

__all__ = ["regenerate"]

_BLOCK = re.compile(r"(<!-- table: (?P<source>\S+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def regenerate(document: Path) -> str:
    """Return the document's text with every table made anew from the JSON it names.

    Args:
        document: Markdown file; sources are relative to its folder.

    Raises:
        InputError: A source cannot be read, or has no table of that name.
    """
    return _BLOCK.sub(partial(_block, document.parent), document.read_text(encoding="utf-8"))


def _block(folder: Path, match: re.Match[str]) -> str:
    source, _, name = match["source"].partition("#")
    path = folder / source
    tables = {
        "contest": _contest_table,
        "explanation": _layer_table,
        "ablation": _ablation_table,
        "comparison-validity": _validity_table,
        "native-validity": _native_table,
        "gpu": lambda path, name: gpu_table(read_gpu_report(path), name),
    }
    if path.is_dir():
        table = _weights_table
    else:
        table = _device_table if path.suffix == ".toml" else tables.get(_kind(path), _bench_table)
    return match.group(1) + table(path, name) + match.group(3)


def _kind(path: Path) -> str:
    """Kind that a report states; other faults are found when it is read in full."""
    try:
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return ""
    return str(found.get("kind", "")) if isinstance(found, dict) else ""


def _ablation_table(path: Path, name: str) -> str:
    if name:
        raise InputError(f"{path}#{name}: an ablation has one table", hint="write nothing after the path")
    report = read_ablation_report(path)
    return f"{ablation_line(report)}\n\n{ablation_table(report)}"


def _layer_table(path: Path, name: str) -> str:
    if name:
        raise InputError(f"{path}#{name}: an explanation has one table", hint="write nothing after the path")
    return layer_markdown(read_explanation(path))


def _device_table(path: Path, name: str) -> str:
    if name:
        raise InputError(f"{path}#{name}: a list of devices has one table", hint="write nothing after the path")
    return device_table(path)


def _weights_table(path: Path, name: str) -> str:
    if name:
        raise InputError(f"{path}#{name}: a folder of weights has one table", hint="write nothing after the path")
    return weights_table(path)


def _validity_table(path: Path, name: str) -> str:
    if name:
        raise InputError(f"{path}#{name}: a summary of comparisons has one table", hint="write nothing after the path")
    return comparison_validity_table(read_comparison_validity(path))


def _native_table(path: Path, name: str) -> str:
    if name:
        raise InputError(f"{path}#{name}: a native-validity summary has one table", hint="write nothing after the path")
    return native_validity_table(read_native_validity(path))


def _contest_table(path: Path, name: str) -> str:
    tables = {
        "": latency_table,
        "ratios": ratio_table,
        "accuracy": row_accuracy_table,
        "differences": difference_table,
    }
    if name not in tables:
        known = ", ".join(f"#{table}" for table in tables if table)
        raise InputError(f"{path}#{name}: a contest has no such table", hint=f"write {known} or nothing after the path")
    report = read_contest_report(path)
    if name in ("accuracy", "differences") and not report.accuracy:
        raise InputError(f"{path}#{name}: no accuracy was measured", hint="run the contest again with --data")
    return f"{measured_line(report)}\n\n{tables[name](report)}"


def _bench_table(path: Path, name: str) -> str:
    tables = {"": markdown_table, "accuracy": accuracy_table, "validity": validity_table}
    tables |= {scenario: partial(outcome_table, scenario=scenario) for scenario in OUTCOME_COLUMNS}
    if name not in tables:
        known = ", ".join(f"#{table}" for table in tables if table)
        raise InputError(
            f"{path}#{name}: a report of bench has no such table", hint=f"write {known} or nothing after the path"
        )
    report = read_report(path)
    environment = report.environment
    threads = ", ".join(map(str, sorted({row.threads for row in report.rows})))
    measured = (
        f"Measured {report.created_utc[:10]} on {environment['cpu_model']} "
        f"({', '.join(environment['cpu_features'])}), {threads} threads.\n\n"
    )
    return measured + tables[name](report)
