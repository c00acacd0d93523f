"""MachineProbe: the best this machine can do, measured with small built-in probes; a module per engine."""

from collections.abc import Callable
from pathlib import Path
from pkgutil import resolve_name

from resemote_edge.artifacts.record import Strict
from resemote_edge.errors import DeviceUnavailableError, InputError, missing_dependency
from resemote_edge.measuring.probes.bandwidth import read_bandwidth
from resemote_edge.measuring.probes.product import TimedProduct
from resemote_edge.runtimes.cpu_features import int8_sums_saturate, why_no_bf16
from resemote_edge.runtimes.registry import get_runtime

__all__ = ["PROBED", "MachineProbe", "Peak", "probe_machine", "probe_peak"]

#: Runtime to ``module:function`` that times a matrix product in it; the fastest of those installed is the peak.
_ENGINES: dict[str, str] = {
    "openvino": "resemote_edge.measuring.probes.openvino:time_product",
    "onnxruntime": "resemote_edge.measuring.probes.onnxruntime:time_product",
}

#: Precisions whose peaks are measured.
PROBED = ("fp32", "bf16", "int8")

# Large enough for a matrix product to be bound by arithmetic: 4.3 G multiply-adds.
_SIDE = 1620

# 0.13 G multiply-adds: 0.3 ms in int8 on a core with VNNI, where OpenVINO's counters are exact to some 10 us.
_SMALLEST_SIDE = 512

_EMULATED = (
    "this CPU adds no products of bytes in 32 bits at once (no VNNI): several instructions take the place of one"
)


class Peak(Strict, frozen=True, kw_only=True):
    """Peak arithmetic speed in one precision.

    Attributes:
        precision: Precision: ``fp32``, ``bf16`` or ``int8`` (unsigned activations, signed weights, sums of 32 bits).
        gmac_per_s: Multiply-adds of a large matrix product, in 1e9 a second; None if it was not measured.
        engine: Name and version of the runtime that computed it; None if not recorded.
        kernel: Kernel that ran, as the engine names it; None if not recorded.
        note: Reason why it was not measured, or a remark about the kernel.
    """

    precision: str
    gmac_per_s: float | None
    engine: str | None = None
    kernel: str | None = None
    note: str | None = None


class MachineProbe(Strict, frozen=True, kw_only=True):
    """Peak figures of this machine, each the best of several tries.

    Attributes:
        threads: Number of CPU threads.
        memory_gb_per_s: Bandwidth of sequential reads.
        memory_method: How that was measured; None if not recorded.
        peaks: Peaks of the precisions `PROBED`.
    """

    threads: int
    memory_gb_per_s: float
    memory_method: str | None = None
    peaks: tuple[Peak, ...]

    def gmac_per_s(self, precision: str | None) -> float | None:
        """Peak of a precision in 1e9 multiply-adds a second; None if it was not measured."""
        return next((peak.gmac_per_s for peak in self.peaks if peak.precision == precision), None)


def probe_machine(threads: int, *, side: int = _SIDE) -> MachineProbe:
    """Measure memory bandwidth and arithmetic peaks.

    Args:
        threads: Number of CPU threads to use.
        side: Rows and columns of the matrices, 512 at least; smaller ones give lower peaks.

    Returns:
        The figures. Each takes one or two seconds per installed engine.

    Raises:
        InputError: The matrices are too small to be timed.
        MissingDependencyError: No runtime that can compute the products is installed.
    """
    engines = [name for name in _ENGINES if get_runtime(name).probe().available]
    if not engines:
        raise missing_dependency("openvino", "openvino", "probing the machine")
    bandwidth, method = read_bandwidth(threads)
    return MachineProbe(
        threads=threads,
        memory_gb_per_s=bandwidth,
        memory_method=method,
        peaks=tuple(_best(engines, precision, threads, side) for precision in PROBED),
    )


def _best(engines: list[str], precision: str, threads: int, side: int) -> Peak:
    found = [probe_peak(engine, precision, threads, side=side) for engine in engines]
    best = max(found, key=lambda peak: peak.gmac_per_s or 0.0)
    if best.gmac_per_s is not None:
        return best
    notes = dict.fromkeys(peak.note for peak in found if peak.note is not None)
    return Peak(precision=precision, gmac_per_s=None, note="; ".join(notes))


def probe_peak(engine: str, precision: str, threads: int, *, side: int = _SIDE, root: Path = Path("/")) -> Peak:
    """Measure the arithmetic peak of one precision in one engine.

    An engine may silently compute in another precision than it was asked for. So the precision is read from its own
    records, and there is no figure if it is another one.

    Args:
        engine: Name of the engine, ``openvino`` or ``onnxruntime``.
        precision: Precision, one of `PROBED`.
        threads: Number of CPU threads to use.
        side: Rows and columns of the matrices, 512 at least; smaller ones give lower peaks.
        root: Root of the file system that holds ``proc``.

    Raises:
        InputError: The matrices are too small to be timed.
        MissingDependencyError: The engine is not installed.
    """
    if side < _SMALLEST_SIDE:
        raise InputError(f"a product of {side} rows is too short to be timed", hint=f"take {_SMALLEST_SIDE} at least")
    missing = why_no_bf16(root) if precision == "bf16" else None
    if missing is not None:
        return Peak(precision=precision, gmac_per_s=None, note=missing)
    time_product: Callable[[str, int, int], TimedProduct] = resolve_name(_ENGINES[engine])
    version = f"{engine} {get_runtime(engine).probe().version}"
    try:
        timed = time_product(precision, threads, side)
    except DeviceUnavailableError as error:
        return Peak(precision=precision, gmac_per_s=None, note=str(error))
    note: str | None
    if timed.precision != precision:
        ran = timed.precision or "a precision it does not tell"
        note = f"asked for {precision}, {engine} computed in {ran} ({timed.kernel})"
        return Peak(precision=precision, gmac_per_s=None, engine=version, kernel=timed.kernel, note=note)
    rate = side**3 / timed.seconds / 1e9
    note = _EMULATED if precision == "int8" and int8_sums_saturate(root) else None
    return Peak(precision=precision, gmac_per_s=rate, engine=version, kernel=timed.kernel, note=note)
