"""GpuReport: results of graphs, precisions and CUDA graphs on a GPU; JSON and Markdown."""

from collections.abc import Sequence
from functools import partial

from resemote_edge.artifacts.record import Measured, Record, read_record
from resemote_edge.benchmarks.report.table import table_text
from resemote_edge.errors import InputError
from resemote_edge.experiments.gpu.probe import DeviceProbe, KernelTimes
from resemote_edge.measuring.latency import Latency
from resemote_edge.measuring.timing import WarmUp

__all__ = ["GPU_SCHEMA", "GRAPHS", "Floor", "GpuReport", "GpuRow", "GpuUnmeasured", "gpu_table", "read_gpu_report"]

GPU_SCHEMA = 1

#: Graphs that are compared: as published, compact, and compact with small maps as matrix products.
GRAPHS = ("reference", "compact", "lowered")

_NONE = "-"


class Floor(Record, frozen=True, kw_only=True):
    """Times that no call can be faster than, from the device's measured speed.

    Attributes:
        copy_ms: Time to copy the input's bytes from host to device; 0 for a CPU.
        memory_ms: Time to read the weights from memory once, in the type of the computation; 0 if they fit into the
            device's cache.
        arithmetic_ms: Time of the multiply-adds at the peak of the precision; None if that was not measured.
    """

    copy_ms: float
    memory_ms: float
    arithmetic_ms: float | None

    @property
    def total_ms(self) -> float:
        """The copy, and then the longer of the other two, which can overlap."""
        return self.copy_ms + max(self.memory_ms, self.arithmetic_ms or 0.0)


class GpuRow(Record, frozen=True, kw_only=True):
    """One network, graph, precision and batch size.

    Attributes:
        network: Name of the network's size: ``base``, ``s``.
        graph: Name of the graph, one of `GRAPHS`.
        precision: Precision that it computes in: ``fp32``, ``tf32``, ``fp16`` or ``bf16``.
        cuda_graph: Whether its kernels were recorded once and replayed.
        batch: Crops per call.
        artifact: Name of the artifact that ran.
        file_sha256: Hash of its model file.
        latency: Time from an array on the host to logits on the host, with the device idle before and after.
        rounds_p50_ms: Median of each round; rounds with and without the CUDA graph take turns.
        warm_up: Untimed calls before the measurement.
        max_abs_logit_diff: Largest difference to the golden logits, which PyTorch computed in float32 on export.
        top1_agreement: Fraction of the golden crops with the same top class.
        floor: Times that no call can be faster than.
        kernels: Work of the device; None if that was not profiled.
    """

    network: str
    graph: str
    precision: str
    cuda_graph: bool
    batch: int
    artifact: str
    file_sha256: str
    latency: Latency
    rounds_p50_ms: tuple[float, ...]
    warm_up: WarmUp
    max_abs_logit_diff: float
    top1_agreement: float
    floor: Floor
    kernels: KernelTimes | None = None


class GpuUnmeasured(Record, frozen=True, kw_only=True):
    """A row that was not measured.

    Attributes:
        what: Description of the row.
        reason: Reason why it was not measured.
    """

    what: str
    reason: str


class GpuReport(Measured, frozen=True, kw_only=True, tag_field="kind", tag="gpu"):
    """All results of a device.

    Attributes:
        device: Best figures of the device.
        weights: Description of the weights.
        rows: Rows that were measured.
        unmeasured: Rows that were not measured.
    """

    schema: int = GPU_SCHEMA
    device: DeviceProbe
    weights: str
    rows: tuple[GpuRow, ...]
    unmeasured: tuple[GpuUnmeasured, ...] = ()


#: Reads a report of a GPU back; see `read_record`.
read_gpu_report = partial(read_record, kind=GpuReport, what="a report of a GPU", schema=GPU_SCHEMA)


def gpu_table(report: GpuReport, name: str = "") -> str:
    """A table of a report as Markdown, with a line that says where it was measured.

    Args:
        report: Report to show.
        name: Name of the table: empty for medians of all graphs, ``percentiles`` for the lowered graph, ``device`` for
            the probe.

    Raises:
        InputError: There is no such table.
    """
    tables = {"": _median_table, "percentiles": _percentile_table, "device": _device_table}
    if name not in tables:
        known = ", ".join(f"#{table}" for table in tables if table)
        raise InputError(f"a report of a GPU has no table {name!r}", hint=f"write {known} or nothing after the path")
    torch = report.environment.get("packages", {}).get("torch", "unknown")
    line = f"Measured {report.created_utc[:10]} on {report.device.name}, PyTorch {torch}, {report.weights}.\n\n"
    return line + tables[name](report)


def _median_table(report: GpuReport) -> str:
    """Table of p50 without and with a CUDA graph, by network, batch size, precision and graph."""
    header = [
        "network", "batch", "precision", *(f"{graph}, ms" for graph in GRAPHS),
        "kernels of the last, ms", "its floor, ms", "crops a second", "logit difference",
    ]  # fmt: skip
    lines = []
    for network, batch, precision in dict.fromkeys((row.network, row.batch, row.precision) for row in report.rows):
        these = [r for r in report.rows if (r.network, r.batch, r.precision) == (network, batch, precision)]
        last = [row for row in these if row.graph == GRAPHS[-1]]
        best = min(row.latency.p50_ms for row in these)
        profiled = next((row.kernels for row in last if row.kernels is not None), None)
        lines.append([
            network,
            str(batch),
            precision,
            *(_pair([row for row in these if row.graph == graph]) for graph in GRAPHS),
            _NONE if profiled is None else _ms(profiled.kernels_ms),
            _ms(last[0].floor.total_ms) if last else _NONE,
            f"{batch / best * 1e3:,.0f}",
            f"{max(row.max_abs_logit_diff for row in these):.1e}",
        ])  # fmt: skip
    return "Medians are without / with a CUDA graph.\n\n" + table_text(header, lines, words=header[:3])


def _percentile_table(report: GpuReport) -> str:
    header = [
        "network",
        "batch",
        "precision",
        "CUDA graph",
        "runs",
        "p50, ms",
        "p90, ms",
        "p99, ms",
        "p50 by round, ms",
    ]
    lines = [
        [
            row.network,
            str(row.batch),
            row.precision,
            "yes" if row.cuda_graph else "no",
            str(row.latency.runs),
            *(_ms(row.latency.percentile_ms(percentile)) for percentile in ("p50", "p90", "p99")),
            ", ".join(map(_ms, row.rounds_p50_ms)),
        ]
        for row in report.rows
        if row.graph == GRAPHS[-1]
    ]
    return table_text(header, lines, words=header[:4])


def _device_table(report: GpuReport) -> str:
    device = report.device
    lines = [["copy within its memory, read and written bytes", f"{device.memory_gb_per_s:,.0f} GB/s"]]
    if device.to_device_gb_per_s is not None:
        lines.append(["copy from the host's pageable memory", f"{device.to_device_gb_per_s:,.1f} GB/s"])
    for peak in device.peaks:
        rate = peak.note or "not measured" if peak.gmac_per_s is None else f"{2 * peak.gmac_per_s / 1e3:,.2f} TFLOP/s"
        lines.append([f"product of matrices of {device.side} rows, {peak.precision}", rate])
    return table_text(["what", "best of several tries"], lines, words=["what"])


def _pair(rows: Sequence[GpuRow]) -> str:
    """Write p50 without and with a CUDA graph."""
    found = {row.cuda_graph: _ms(row.latency.p50_ms) for row in rows}
    return f"{found.get(False, _NONE)} / {found.get(True, _NONE)}" if found else _NONE


def _ms(value: float | None) -> str:
    if value is None:
        return _NONE
    return f"{value:.3f}" if value < 10 else f"{value:.1f}"
