"""The confusion matrix as a picture."""

from pathlib import Path

from resemote_edge.artifacts.files import write_picture
from resemote_edge.errors import needs
from resemote_edge.evaluation.accuracy import AccuracyReport

__all__ = ["draw_confusion"]


def draw_confusion(report: AccuracyReport, path: Path) -> None:
    """Draw the confusion matrix as a picture, each row in percent of its class.

    Args:
        report: Report from `measure_accuracy`.
        path: PNG to write.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    with needs("report", "drawing the confusion matrix"):
        from matplotlib.figure import Figure
    figure = Figure(figsize=(6.4, 5.6), layout="constrained")
    axes = figure.add_subplot()
    shares = [[count / max(sum(row), 1) * 100 for count in row] for row in report.confusion]
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=100)
    ticks = range(len(report.labels))
    axes.set_xticks(ticks, report.labels, rotation=30, ha="right")
    axes.set_yticks(ticks, report.labels)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(f"{report.dataset}: {report.accuracy * 100:.2f} % of {report.samples}")
    for row in ticks:
        for column in ticks:
            share = shares[row][column]
            axes.text(column, row, f"{share:.0f}", ha="center", va="center", color="white" if share > 55 else "black")
    figure.colorbar(image, label="% of the true class", shrink=0.85)
    write_picture(figure, path)
