"""Tables of results in documents, generated from committed JSON and never typed.

A document holds ``<!-- table: FOLDER/report.json -->`` and ``<!-- end of table -->``; the text between them is
replaced. These are the sources, with the names of further tables, which may follow the path after ``#``:

- a report of `bench`: ``accuracy``, ``validity`` (checks of the timer), and a scenario such as ``camera``;
- a report of a contest: ``ratios``, ``accuracy`` and ``differences`` (of accuracy);
- a report of `gpu`: ``percentiles`` and ``device``;
- an ablation's report, the file of `explain`, and the summary of `verdict_check`, `native_check`, `tools_check`,
  `camera_check` or `detector_check`;
- a list of devices in TOML, and a folder of weights with their model cards.
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
from resemote_edge.experiments.camera_check.report import camera_check_table, read_camera_check
from resemote_edge.experiments.contest.report import (
    difference_table,
    latency_table,
    measured_line,
    ratio_table,
    row_accuracy_table,
)
from resemote_edge.experiments.contest.results import read_contest_report
from resemote_edge.experiments.detector_check.report import detector_check_table, read_detector_check
from resemote_edge.experiments.gpu.results import gpu_table, read_gpu_report
from resemote_edge.experiments.native_check.report import native_validity_table, read_native_validity
from resemote_edge.experiments.tables.devices import device_table
from resemote_edge.experiments.tables.weights import weights_table
from resemote_edge.experiments.tools_check.check import read_tools_check, tools_check_table
from resemote_edge.experiments.verdict_check.report import comparison_validity_table, read_comparison_validity
from resemote_edge.measuring.results import read_report

__all__ = ["regenerate"]

_BLOCK = re.compile(r"(<!-- table: (?P<source>\S+) -->\n).*?(<!-- end of table -->)", re.DOTALL)


def regenerate(document: Path) -> str:
    """Return the document's text, with every table generated again.

    Args:
        document: Markdown file; sources are relative to its folder.

    Raises:
        InputError: A source cannot be read, or has no table of that name.
    """
    return _BLOCK.sub(partial(_block, document.parent), document.read_text(encoding="utf-8"))


def _block(folder: Path, match: re.Match[str]) -> str:
    source, _, name = match["source"].partition("#")
    path = folder / source
    only = {
        "ablation": _ablation_table,
        "comparison-validity": lambda path: comparison_validity_table(read_comparison_validity(path)),
        "devices": device_table,
        "explanation": lambda path: layer_markdown(read_explanation(path)),
        "camera-check": lambda path: camera_check_table(read_camera_check(path)),
        "tools-check": lambda path: tools_check_table(read_tools_check(path)),
        "detector-check": lambda path: detector_check_table(read_detector_check(path)),
        "native-validity": lambda path: native_validity_table(read_native_validity(path)),
        "weights": weights_table,
    }
    kind = _kind(path)
    if kind not in only:
        make = {"contest": _contest_table, "gpu": _gpu_table}.get(kind, _bench_table)
        return match.group(1) + make(path, name) + match.group(3)
    if name:
        raise InputError(f"{path} has one table, none of the name {name!r}", hint="write nothing after the path")
    return match.group(1) + only[kind](path) + match.group(3)


def _kind(path: Path) -> str:
    """Kind of a source, as a report states it; empty if none can be read."""
    if path.is_dir() or path.suffix == ".toml":
        return "weights" if path.is_dir() else "devices"
    try:
        found = msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return ""
    return str(found.get("kind", "")) if isinstance(found, dict) else ""


def _ablation_table(path: Path) -> str:
    report = read_ablation_report(path)
    return f"{ablation_line(report)}\n\n{ablation_table(report)}"


def _gpu_table(path: Path, name: str) -> str:
    return gpu_table(read_gpu_report(path), name)


def _contest_table(path: Path, name: str) -> str:
    tables = {"": latency_table, "ratios": ratio_table, "accuracy": row_accuracy_table, "differences": difference_table}
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
