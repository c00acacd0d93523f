"""A comparison of two reports for people."""

from collections.abc import Iterable

from resemote_edge.benchmarks.report.columns import NOT_MEASURED
from resemote_edge.benchmarks.report.table import table_text
from resemote_edge.measuring.comparison.results import Pair, ReportComparison, TimeRatio
from resemote_edge.measuring.statistics.verdict import Verdict

__all__ = ["interval_text", "markdown_report_comparison", "verdict_text"]

_ONE_PROCESS = (
    "A row is one process, at a time of its own. What that alone changes is not in the intervals, and is why a margin "
    "stands between them and a verdict; `bench compare --live` measures both in turn, in several processes each."
)

_UNPAIRED = (
    "A report does not keep which images were right, so the interval of a difference of accuracy is that of two "
    "proportions on different images; `bench run --reference` compares image by image, several times sharper."
)


def interval_text(interval: tuple[float, float]) -> str:
    """Write an interval of a ratio."""
    return "{:.3f} to {:.3f}".format(*interval)


def verdict_text(verdict: Verdict, *, ruled_out: bool, margin: float) -> str:
    """Write a verdict; if no difference was shown, say whether one that counts is ruled out."""
    if verdict != "no difference shown":
        return verdict
    return f"{verdict}; {'ruled out' if ruled_out else 'not ruled out'}: {margin * 100:g} %"


def markdown_report_comparison(comparison: ReportComparison) -> str:
    """Write the whole comparison in Markdown."""
    lines = [
        "# B compared with A",
        "",
        f"- A: {comparison.a}",
        f"- B: {comparison.b}",
        "- Ratio: time of B over time of A; above 1, B takes longer",
        f"- Smallest difference that counts: {comparison.margin * 100:g} %",
        "",
        table_text(
            ["B against A", "verdict", "model MB", "peak MiB", "accuracy", "difference, points (95 %)"],
            map(_pair_cells, comparison.pairs),
        ),
        table_text(
            ["B against A", "time", "A ms", "B ms", "ratio", "95 % interval", "shown"],
            (_time_cells(pair, time, comparison.margin) for pair in comparison.pairs for time in pair.times),
        ),
        _ONE_PROCESS,
        "",
    ]
    if any(pair.accuracy is not None for pair in comparison.pairs):
        lines += [_UNPAIRED, ""]
    lines += _list("Compared in spite of these differences (--force)", map(str, comparison.forced))
    lines += _list("Differs as well, and hinders nothing", map(str, comparison.software))
    left_out = (f"{pair}: {what}: {why}" for pair in comparison.pairs for what, why in pair.left_out.items())
    lines += _list("Not compared", left_out)
    lines += _list("Notes", (f"{pair}: {note}" for pair in comparison.pairs for note in pair.notes))
    lines += _list("Only in A", comparison.only_in_a)
    lines += _list("Only in B", comparison.only_in_b)
    return "\n".join(lines)


def _pair_cells(pair: Pair) -> list[str]:
    accuracy, difference = NOT_MEASURED, NOT_MEASURED
    if pair.accuracy is not None:
        accuracy = f"{pair.accuracy.a_accuracy * 100:.2f} % → {pair.accuracy.b_accuracy * 100:.2f} %"
        low, high = pair.accuracy.interval_95_points
        difference = f"{pair.accuracy.difference_points:+.2f} ({low:+.2f} to {high:+.2f})"
    return [
        str(pair),
        pair.verdict,
        f"{pair.a_model_size_bytes / 1e6:.1f} → {pair.b_model_size_bytes / 1e6:.1f}",
        f"{pair.a_peak_memory_bytes / 2**20:.0f} → {pair.b_peak_memory_bytes / 2**20:.0f}",
        accuracy,
        difference,
    ]


def _time_cells(pair: Pair, time: TimeRatio, margin: float) -> list[str]:
    return [
        str(pair),
        f"{time.quantity} {time.percentile}",
        f"{time.a_ms:.3f}",
        f"{time.b_ms:.3f}",
        f"{time.ratio:.3f}",
        interval_text(time.interval_95),
        verdict_text(time.verdict, ruled_out=time.counting_difference_ruled_out, margin=margin),
    ]


def _list(title: str, entries: Iterable[str]) -> list[str]:
    found = list(dict.fromkeys(entries))
    return [f"{title}:", "", *[f"- {entry}" for entry in found], ""] if found else []
