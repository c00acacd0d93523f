"""An evaluation as tables."""

from typing import Any

from rich.table import Table

from resemote_edge.cli.views.facts import facts_table
from resemote_edge.evaluation.accuracy import AccuracyReport
from resemote_edge.evaluation.run import EvalResult

__all__ = ["accuracy_tables"]


def accuracy_tables(result: EvalResult) -> list[Table]:
    """Tables of the result for the screen: facts, then the confusion matrix."""
    report = result.accuracy
    low, high = report.accuracy_interval_95
    hinted = "" if result.precision_hint is None else f", {result.precision_hint} hint"
    facts: dict[str, Any] = {
        "artifact": f"{result.artifact}, {result.runtime} on {result.device}{hinted}",
        "dataset": f"{report.dataset}, {report.samples:,} images",
        "accuracy": f"{report.accuracy * 100:.2f} %  (95 % interval {low * 100:.2f} to {high * 100:.2f})",
    }
    if report.accuracy_without_train_duplicates is not None:
        facts["without training copies"] = (
            f"{report.accuracy_without_train_duplicates * 100:.2f} %  "
            f"({report.samples_without_train_duplicates:,} images)"
        )
    if report.ece is not None:
        facts["calibration error"] = f"{report.ece:.3f}"
    if report.paired is not None:
        change = report.paired
        facts[f"against {report.reference}"] = (
            f"drop {change.drop_points:.2f} points  (95 % interval {change.drop_interval_95[0]:.2f} to "
            f"{change.drop_interval_95[1]:.2f}), flips {change.flip_rate * 100:.2f} %"
        )
    facts["recall"] = {label: f"{share * 100:.1f} %" for label, share in report.recall.items()}
    return [facts_table("Evaluation", facts), _confusion_table(report)]


def _confusion_table(report: AccuracyReport) -> Table:
    table = Table(title="Confusion: true class in rows, predicted in columns", title_justify="left", padding=(0, 0))
    table.add_column("")
    for label in report.labels:
        table.add_column(label, justify="right")
    for label, counts in zip(report.labels, report.confusion, strict=True):
        table.add_row(label, *map(str, counts))
    return table
