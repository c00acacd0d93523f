"""Tables of what a dataset holds."""

from typing import TYPE_CHECKING, Any

from rich.table import Table
from rich.text import Text

from resemote_edge.cli.views.facts import facts_table

if TYPE_CHECKING:
    from resemote_edge.data.inspect import DataReport


__all__ = ["data_tables"]


def data_tables(report: "DataReport") -> list[Table]:
    """Tables of the counts per split and class, then of the faults."""
    splits = list(report.counts)
    counts = Table(title=Text(f"{report.path}: images per class"), title_justify="left")
    counts.add_column("class")
    for split in splits:
        counts.add_column(split, justify="right")
    for label in report.labels:
        counts.add_row(Text(label), *(f"{report.counts[split][label]:,}" for split in splits))
    counts.add_row("total", *(f"{sum(report.counts[split].values()):,}" for split in splits), style="bold")
    findings: dict[str, Any] = {"labels": ", ".join(report.labels)}
    findings["targets"] = "distributions (soft), the largest share counted" if report.soft_targets else "one label each"
    findings |= {
        f"left out of {split}: {reason}": n
        for split, reasons in report.left_out.items()
        for reason, n in reasons.items()
    }
    findings |= {f"note {number}": note for number, note in enumerate(report.notes, start=1)}
    findings |= {f"repeats within {split}": n for split, n in report.duplicates_within.items()}
    findings |= {f"copies {pair}": n for pair, n in report.duplicates_across.items()}
    findings["images with conflicting labels"] = report.conflicting_labels
    findings |= {f"sha256 of {split}": digest for split, digest in report.sha256.items()}
    return [counts, facts_table("Findings", findings)]
