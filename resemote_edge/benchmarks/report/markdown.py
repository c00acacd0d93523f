"""The report in Markdown."""

from resemote_edge.benchmarks.report.columns import (
    ACCURACY_COLUMNS,
    COLUMNS,
    ENERGY_COLUMNS,
    OUTCOME_COLUMNS,
    VALIDITY_COLUMNS,
    markdown,
)
from resemote_edge.machine.energy import Energy, NotMeasured
from resemote_edge.machine.throttling import throttling_text
from resemote_edge.measuring.results import BenchReport, Unmeasured

__all__ = ["accuracy_table", "markdown_report", "markdown_table", "outcome_table", "validity_table"]


def markdown_table(report: BenchReport) -> str:
    """Write the table in Markdown."""
    return markdown(COLUMNS, report.rows)


def accuracy_table(report: BenchReport) -> str:
    """Write the accuracy table in Markdown: a line per artifact and runtime, whatever the batch size."""
    once = {(row.artifact, row.runtime): row for row in reversed(report.rows) if row.accuracy is not None}
    return markdown(ACCURACY_COLUMNS, reversed(once.values()))


def validity_table(report: BenchReport) -> str:
    """Write the checks of our timer in Markdown."""
    return markdown(VALIDITY_COLUMNS, report.validity)


def outcome_table(report: BenchReport, scenario: str) -> str:
    """Write what one scenario reports beyond latency, in Markdown; empty if no row reports anything."""
    rows = [row for row in report.rows if row.scenario == scenario and row.speed.outcome is not None]
    return markdown(OUTCOME_COLUMNS[scenario], rows) if rows else ""


def markdown_report(report: BenchReport, picture: str | None = None) -> str:
    """Write the whole report in Markdown.

    Args:
        report: Report of the measurements.
        picture: File name of the chart beside it, if there is one.
    """
    environment = report.environment
    packages = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
    accuracy = report.accuracy_data or "not measured (no dataset was given)"
    lines = [
        "# Benchmark report",
        "",
        *_suite_lines(report),
        f"Measured {report.created_utc} on {environment['cpu_model']}, {environment['cores_allowed']} cores "
        f"({', '.join(environment['cpu_features'])}), {environment['os']}, kernel {environment['kernel']}; "
        f"load average before: {environment['load_average_1m']:.2f}.",
        "",
        f"- GPUs: {'; '.join(environment['gpus']) or 'none'}",
        f"- Packages: {packages}",
        f"- Commit: {environment['git_commit'] or 'not a checkout'}",
        f"- Timed on: {report.inputs}; each row in its own process, {_warm_up(report)}no sample left out",
        *_harness_lines(report),
        f"- Accuracy: {accuracy}",
        f"- Throttled: {throttling_text([row.speed.did_throttle for row in report.rows]) or 'no row was measured'}",
        "",
        markdown_table(report) if report.rows else "No row was measured.\n",
    ]
    if picture:
        lines += [f"![p50 latency per crop]({picture})", ""]
    for scenario in OUTCOME_COLUMNS:
        table = outcome_table(report, scenario)
        if table:
            lines += [f"## {scenario}", "", table]
    lines += _energy_lines(report)
    lines += _throttled_lines(report)
    if report.validity:
        lines += ["## Our timer against others", "", validity_table(report)]
    if report.unmeasured:
        lines += ["Not measured here:", ""]
        lines += [f"- {_who(row)} ({row.state}): {row.reason}" for row in report.unmeasured]
        lines.append("")
    return "\n".join(lines)


def _energy_lines(report: BenchReport) -> list[str]:
    measured = [row for row in report.rows if isinstance(row.speed.energy, Energy)]
    reasons = (row.speed.energy.reason for row in report.rows if isinstance(row.speed.energy, NotMeasured))
    lines = [f"- not measured: {reason}" for reason in dict.fromkeys(reasons)]
    if measured:
        lines = [markdown(ENERGY_COLUMNS, measured), *lines]
    return ["## Energy", "", *lines, ""] if lines else []


def _throttled_lines(report: BenchReport) -> list[str]:
    """List rows during which the machine was slowed down or heated."""
    lines = [
        f"- {row.artifact} in {row.runtime}, {row.scenario}, batch {row.batch}: {'; '.join(row.speed.throttled)}"
        for row in report.rows
        if row.speed.throttled
    ]
    return ["## The machine changed while it was measured", "", *lines, ""] if lines else []


def _who(row: Unmeasured) -> str:
    parts = [f"{row.artifact} in {row.runtime}", *([row.scenario] if row.scenario else [])]
    parts += [] if row.batch is None else [f"batch {row.batch}"]
    parts += [] if row.threads is None else [f"threads {row.threads}"]
    return ", ".join(parts)


def _suite_lines(report: BenchReport) -> list[str]:
    suite = report.suite
    if suite is None:
        return []
    lines = [f"Suite `{suite.name}`: {suite.description}", ""]
    if suite.missing:
        missing = f"{suite.missing} of {suite.planned} rows are missing"
        lines += [f"**Partial: {missing}; the command that made this report goes on with them.**", ""]
    return [*lines, *(line for note in suite.notes for line in (note, ""))]


def _warm_up(report: BenchReport) -> str:
    if not report.rows:
        return ""
    return f"after at least {min(row.speed.warm_up.runs for row in report.rows)} warm-up calls, "


def _harness_lines(report: BenchReport) -> list[str]:
    costs = [row.speed.harness_p50_us for row in report.rows if row.speed.harness_p50_us is not None]
    if not costs:
        return []
    fastest = min(row.speed.model.p50_ms for row in report.rows) * 1e3
    share = max(costs) / fastest * 100
    return [f"- The harness itself: {max(costs):.1f} us a call at most, {share:.2f} % of the fastest row"]
