"""compare_reports: compares the rows that two reports of `bench run` have in common."""

from collections.abc import Iterable
from pathlib import Path

from resemote_edge.benchmarks.compare.comparability import blocking_differences, software_differences
from resemote_edge.benchmarks.compare.rows import compare_rows, row_name
from resemote_edge.benchmarks.report.files import REPORT_FILES
from resemote_edge.errors import InputError
from resemote_edge.measuring.comparison.results import ReportComparison
from resemote_edge.measuring.results import BenchReport, BenchRow, read_report
from resemote_edge.measuring.statistics.verdict import check_margin

__all__ = ["REPORT_MARGIN", "compare_reports"]

#: Smallest difference that counts. The rows of two reports come from single processes at different times. The interval
#: does not include that variation, so the margin allows for it (docs/decisions/0010-comparison.md).
REPORT_MARGIN = 0.05


def compare_reports(a: Path, b: Path, *, margin: float = REPORT_MARGIN, force: bool = False) -> ReportComparison:
    """Compare report B with report A, row by row.

    Rows belong together if they agree in runtime, scenario, batch, threads, streams and precision hint, and in the
    artifact's name unless each report holds one artifact.

    Args:
        a: File ``report.json``, with its samples beside it where they were kept, or the folder of both.
        b: Second report, likewise.
        margin: Smallest difference that counts, as a fraction.
        force: Whether to compare in spite of differences that block it; the result lists them.

    Raises:
        InputError: A report cannot be read; no row has a counterpart, or one has several; the reports come from
            different machines or were measured in different ways; or too little was kept to compare.
    """
    check_margin(margin)
    a, b = (path / REPORT_FILES[0] if path.is_dir() else path for path in (a, b))
    reports = (read_report(a), read_report(b))
    matched, only_a, only_b = _match(reports, (a, b))
    blocking = blocking_differences(*reports, matched)
    if blocking and not force:
        raise InputError(
            f"{a} and {b} cannot be compared: {'; '.join(map(str, blocking))}",
            hint="measure both in the same way on the same machine, or pass --force to compare all the same",
        )
    pairs = tuple(compare_rows(one, other, (a.parent, b.parent), margin) for one, other in matched)
    return ReportComparison(
        a=str(a),
        b=str(b),
        margin=margin,
        forced=blocking,
        software=software_differences(*reports),
        pairs=pairs,
        only_in_a=_alone(only_a, reports[1]),
        only_in_b=_alone(only_b, reports[0]),
    )


def _match(
    reports: tuple[BenchReport, BenchReport], paths: tuple[Path, Path]
) -> tuple[list[tuple[BenchRow, BenchRow]], list[BenchRow], list[BenchRow]]:
    """Rows that belong together, and those of each report that are alone."""
    by_name = any(len({row.artifact for row in report.rows}) > 1 for report in reports)
    keyed = [_by_key(report.rows, path, by_name=by_name) for report, path in zip(reports, paths, strict=True)]
    matched = [(row, keyed[1][key]) for key, row in keyed[0].items() if key in keyed[1]]
    if not matched:
        held = [", ".join(map(row_name, report.rows)) for report in reports]
        raise InputError(
            f"no row of {paths[0]} has a counterpart in {paths[1]}: the one holds {held[0]}, and the other {held[1]}",
            hint="measure the same runtime, scenario, batch, threads and streams in both",
        )
    only_a = [row for key, row in keyed[0].items() if key not in keyed[1]]
    only_b = [row for key, row in keyed[1].items() if key not in keyed[0]]
    return matched, only_a, only_b


def _by_key(rows: Iterable[BenchRow], path: Path, *, by_name: bool) -> dict[tuple[object, ...], BenchRow]:
    found: dict[tuple[object, ...], BenchRow] = {}
    for row in rows:
        name = row.artifact if by_name else None
        key = (row.runtime, row.scenario, row.batch, row.threads, row.streams, row.precision_hint, name)
        if key in found:
            raise InputError(
                f"{path}: two rows are {row_name(row)}, so that nobody can tell which one is meant",
                hint="measure artifacts of the same name into reports of their own",
            )
        found[key] = row
    return found


def _alone(rows: Iterable[BenchRow], other: BenchReport) -> tuple[str, ...]:
    """Rows without a counterpart, and what the other report says about each."""
    found = []
    for row in rows:
        reasons = [
            entry.reason
            for entry in other.unmeasured
            if entry.runtime == row.runtime
            and entry.artifact == row.artifact
            and entry.scenario in (None, row.scenario)
            and entry.batch in (None, row.batch)
        ]
        found.append(row_name(row) + (f" (not measured in the other: {reasons[0]})" if reasons else ""))
    return tuple(found)
