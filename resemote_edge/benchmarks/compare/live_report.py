"""Reports of a live comparison: ``comparison.json``, ``comparison.md``, the samples and a picture."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.files import write_file, write_picture
from resemote_edge.benchmarks.compare.text import interval_text, verdict_text
from resemote_edge.benchmarks.report.columns import TOO_FEW
from resemote_edge.benchmarks.report.table import table_text
from resemote_edge.errors import where_installed
from resemote_edge.measuring.comparison.live import LiveRun
from resemote_edge.measuring.comparison.live_results import LiveComparison, Side
from resemote_edge.measuring.latency import quantiles_ms
from resemote_edge.measuring.samples import write_samples

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["LIVE_FILES", "markdown_live_comparison", "write_live_comparison"]

#: Names of the files that `write_live_comparison` writes.
LIVE_FILES = ("comparison.json", "comparison.md", "samples.npz", "distributions.png")

#: Share of the calls shown in the picture: with the slowest ones, the others would be squeezed together.
_SHOWN = 0.995

_SIDE_HEADERS = ("", "artifact", "runtime", "device", "precision", "model MB", "calls", "p50 ms", "p90 ms", "p99 ms")


def markdown_live_comparison(comparison: LiveComparison, picture: str | None = None) -> str:
    """The whole comparison in Markdown.

    Args:
        comparison: Result of the comparison.
        picture: File name of the picture beside it, if there is one.
    """
    environment = comparison.environment
    verdict = verdict_text(
        comparison.verdict, ruled_out=comparison.counting_difference_ruled_out, margin=comparison.margin
    )
    lines = [
        "# B compared with A",
        "",
        f"**{verdict}**: B takes {comparison.ratio:.3f} times as long as A "
        f"({comparison.coverage * 100:.0f} % interval {interval_text(comparison.interval)}).",
        "",
        table_text(_SIDE_HEADERS, [["A", *_side_cells(comparison.a)], ["B", *_side_cells(comparison.b)]]),
        f"- Timed: {comparison.quantity}, batch {comparison.batch}, {comparison.threads} threads, {comparison.inputs}",
        f"- Smallest difference that counts: {comparison.margin * 100:g} %",
        f"- Measured {comparison.created_utc} on {environment['cpu_model']}, {environment['cores_allowed']} cores; "
        f"load average before: {environment['load_average_1m']:.2f}; {comparison.total_seconds:.0f} s in all",
        "",
    ]
    if picture:
        lines += [f"![both distributions, and the ratio of every restart]({picture})", ""]
    lines += [
        "A restart is a pair of fresh processes that take turns. The ratio is the median over the restarts, and the "
        "interval is between restarts.",
        "",
        _restarts(comparison),
    ]
    return "\n".join(lines)


def _side_cells(side: Side) -> list[str]:
    hint = "" if side.precision_hint is None else f", {side.precision_hint} hint"
    slowed = "" if side.slowed_by == 1.0 else f", slowed {side.slowed_by:g} times"
    tails = [TOO_FEW if value is None else f"{value:.3f}" for value in (side.latency_p90_ms, side.latency_p99_ms)]
    return [
        side.artifact,
        side.runtime + slowed,
        side.device,
        side.precision + hint,
        f"{side.model_size_bytes / 1e6:.1f}",
        str(side.runs),
        f"{side.latency_p50_ms:.3f}",
        *tails,
    ]


def _restarts(comparison: LiveComparison) -> str:
    rows = [
        [
            str(index + 1),
            restart.opened_first,
            str(restart.rounds),
            str(restart.runs_per_turn),
            f"{restart.a_latency_p50_ms:.3f}",
            f"{restart.b_latency_p50_ms:.3f}",
            f"{restart.ratio:.3f}",
        ]
        for index, restart in enumerate(comparison.restarts)
    ]
    headers = ["restart", "opened first", "rounds", "calls a turn", "A p50 ms", "B p50 ms", "ratio"]
    return table_text(headers, rows)


def write_live_comparison(run: LiveRun, folder: Path) -> dict[str, Path]:
    """Write the comparison, every sample and, where matplotlib is installed, the picture.

    Args:
        run: Measured comparison with its samples.
        folder: Folder to write to; created if need be.

    Returns:
        The paths written, by kind (``json``, ``markdown``, ``samples``, ``picture``).
    """
    data, text, samples, picture = (folder / name for name in LIVE_FILES)
    write_file(data, run.comparison.to_json())
    write_samples(samples, _samples(run))
    written = {"json": data, "markdown": text, "samples": samples}
    picture.unlink(missing_ok=True)  # An old one would show other figures.
    with where_installed("matplotlib"):
        _draw(run, picture)
        written["picture"] = picture
    write_file(text, markdown_live_comparison(run.comparison, picture.name if "picture" in written else None))
    return written


def _samples(run: LiveRun) -> dict[str, NDArray[np.int64]]:
    """Every call of both sides, with its restart and round."""
    tables = run.a_nanoseconds  # Those of B have the same shapes.
    rounds = [np.repeat(np.arange(len(table)), table.shape[1]) for table in tables]
    return {
        "a_ns": np.concatenate([table.reshape(-1) for table in run.a_nanoseconds]),
        "b_ns": np.concatenate([table.reshape(-1) for table in run.b_nanoseconds]),
        "restart": np.repeat(np.arange(len(tables)), [table.size for table in tables]),
        "round": np.concatenate(rounds),
    }


def _draw(run: LiveRun, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 4.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _draw_distributions(left, run)
    _draw_restarts(right, run.comparison)
    write_picture(figure, path)


def _draw_distributions(axes: "Axes", run: LiveRun) -> None:
    samples = _samples(run)
    taken = {side: samples[f"{side.lower()}_ns"] for side in "AB"}
    limit = max(float(quantiles_ms(nanoseconds, [_SHOWN])[0]) for nanoseconds in taken.values())
    edges = np.linspace(min(float(values.min()) for values in taken.values()) / 1e6, limit, 81).tolist()
    for (side, nanoseconds), who in zip(taken.items(), (run.comparison.a, run.comparison.b), strict=True):
        values = nanoseconds / 1e6
        label = f"{side}: {who.artifact}, {who.runtime}"
        axes.hist(values[values <= limit], edges, histtype="stepfilled", alpha=0.5, label=label)
        axes.axvline(who.latency_p50_ms, color="C0" if side == "A" else "C1", linewidth=1)
    axes.set_xlabel(f"ms per call ({run.comparison.quantity}); line: p50")
    axes.set_ylabel("calls")
    axes.legend(fontsize=7, loc="upper right")


def _draw_restarts(axes: "Axes", comparison: LiveComparison) -> None:
    places = range(1, len(comparison.restarts) + 1)
    low, high = comparison.interval
    axes.axhspan(1 / (1 + comparison.margin), 1 + comparison.margin, color="0.9", label="differences that do not count")
    axes.axhspan(low, high, color="C2", alpha=0.3, label=f"{comparison.coverage * 100:.0f} % interval")
    axes.axhline(1.0, color="0.4", linewidth=1)
    axes.plot(places, [restart.ratio for restart in comparison.restarts], "o", color="black", label="one restart")
    axes.set_xticks(places)
    axes.set_xlabel("restart")
    axes.set_ylabel("time of B over time of A")
    axes.set_title(f"{comparison.ratio:.3f}: {comparison.verdict}", fontsize=10)
    axes.legend(fontsize=7)
