"""compare_rows: compares two rows of reports in times, accuracy, size and memory."""

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from resemote_edge.errors import InputError
from resemote_edge.measuring.comparison.results import AccuracyChange, Pair, Percentile, Quantity, TimeRatio
from resemote_edge.measuring.latency import PERCENTILES, Latency, runs_needed
from resemote_edge.measuring.results import BenchRow
from resemote_edge.measuring.samples import kept_samples
from resemote_edge.measuring.statistics.block_bootstrap import resampled_percentiles
from resemote_edge.measuring.statistics.recovered_interval import interval_of_difference
from resemote_edge.measuring.statistics.verdict import Verdict, judge, rules_out

__all__ = ["compare_rows", "row_name"]

#: With fewer calls, there would be fewer than ten blocks, too few to show how a run varies.
_MIN_RUNS = 100

_RESAMPLES = 1000

_QUANTITIES: tuple[Quantity, ...] = ("model", "crop to decision")
_PERCENTILES: tuple[Percentile, ...] = ("p50", "p99")

#: Stages of a decision that make up `crop_to_decision`.
_DECISION = ("preprocess_ns", "inference_ns", "postprocess_ns")

_Samples = dict[Quantity, NDArray[np.int64]]
_Intervals = dict[Percentile, tuple[float, float]]


def row_name(row: BenchRow) -> str:
    """Name a row in words."""
    hint = "" if row.precision_hint is None else f", {row.precision_hint} hint"
    streams = f", {row.streams} streams" if row.streams > 1 else ""
    return f"{row.artifact} in {row.runtime}, {row.scenario}, batch {row.batch}, {row.threads} threads{streams}{hint}"


def compare_rows(a: BenchRow, b: BenchRow, folders: tuple[Path, Path], margin: float) -> Pair:
    """Compare row B with row A.

    Args:
        a: First row.
        b: Row that belongs to it.
        folders: Folders of the reports, beside which samples were kept.
        margin: Smallest difference that counts, as a fraction.

    Raises:
        InputError: Too little was kept to compare p50, or the samples are not those of the row.
    """
    notes: list[str] = []
    kept = _both_samples((a, b), folders, notes)
    for side, row in (("A", a), ("B", b)):
        if row.speed.warm_up.settled is False:
            notes.append(f"{side}: times had not settled when the clock began to count")
    times: list[TimeRatio] = []
    left_out: dict[str, str] = {}
    for quantity in _QUANTITIES:
        samples = None if kept is None else (kept[0][quantity], kept[1][quantity])
        chosen, reasons = _comparable(a, b, quantity, sampled=samples is not None)
        times += _ratios(quantity, (_latency(a, quantity), _latency(b, quantity)), samples, chosen, margin)
        left_out |= reasons
    return Pair(
        a_artifact=a.artifact,
        b_artifact=b.artifact,
        runtime=a.runtime,
        scenario=a.scenario,
        batch=a.batch,
        threads=a.threads,
        streams=a.streams,
        precision_hint=a.precision_hint,
        verdict=_overall([time.verdict for time in times if time.percentile == "p50"]),
        times=tuple(times),
        left_out=left_out,
        a_model_size_bytes=a.model_size_bytes,
        b_model_size_bytes=b.model_size_bytes,
        a_peak_memory_bytes=a.speed.peak_memory_bytes,
        b_peak_memory_bytes=b.speed.peak_memory_bytes,
        accuracy=_accuracy(a, b),
        notes=tuple(notes),
    )


def _both_samples(
    rows: tuple[BenchRow, BenchRow], folders: tuple[Path, Path], notes: list[str]
) -> tuple[_Samples, _Samples] | None:
    """Samples of both rows; None, and a note with the reason, if one has none."""
    found = []
    for side, row, folder in zip("AB", rows, folders, strict=True):
        kept = None if row.samples is None else kept_samples(folder, row.samples, row.speed.samples_sha256)
        if row.samples is None or kept is None:
            why = "no samples were kept" if row.samples is None else f"{folder / row.samples} is not there"
            notes.append(f"{side}: {why}; ratios have their intervals from those in the reports")
            return None
        found.append(_by_quantity(kept, folder / row.samples))
    return found[0], found[1]


def _by_quantity(samples: dict[str, NDArray[np.int64]], path: Path) -> _Samples:
    missing = [name for name in ("model_ns", *_DECISION) if name not in samples]
    if missing:
        raise InputError(f"{path}: holds no {', '.join(missing)}", hint="measure again")
    decision: NDArray[np.int64] = np.sum([samples[name] for name in _DECISION], axis=0, dtype=np.int64)
    return {"model": samples["model_ns"], "crop to decision": decision}


def _latency(row: BenchRow, quantity: Quantity) -> Latency:
    return row.speed.model if quantity == "model" else row.speed.crop_to_decision


def _comparable(
    a: BenchRow, b: BenchRow, quantity: Quantity, *, sampled: bool
) -> tuple[list[Percentile], dict[str, str]]:
    """Percentiles that can be compared, and reasons why others cannot."""
    chosen: list[Percentile] = []
    reasons = {}
    for percentile in _PERCENTILES:
        found = _too_little((_latency(a, quantity), _latency(b, quantity)), percentile, sampled=sampled)
        if found is None:
            chosen.append(percentile)
        elif percentile == "p50":
            raise InputError(f"{row_name(b)}: {quantity} cannot be compared: {found[0]}", hint=found[1])
        else:
            reasons[f"{quantity} {percentile}"] = "; ".join(found)
    return chosen, reasons


def _too_little(latencies: tuple[Latency, Latency], percentile: Percentile, *, sampled: bool) -> tuple[str, str] | None:
    """Reason why a percentile cannot be compared, and what to do; None if it can."""
    needed = max(_MIN_RUNS, runs_needed(PERCENTILES[percentile]))
    fewest = min(latency.runs for latency in latencies)
    if fewest < needed:
        few = f"{fewest} timed calls are too few, {needed} are needed"
        return few, f"run again with --min-runs {needed} or more"
    if not sampled and any(percentile not in latency.interval_95_ms for latency in latencies):
        return "a report holds neither samples nor an interval", "run again with -o, so that samples are kept"
    return None


def _ratios(
    quantity: Quantity,
    latencies: tuple[Latency, Latency],
    samples: tuple[NDArray[np.int64], NDArray[np.int64]] | None,
    chosen: list[Percentile],
    margin: float,
) -> list[TimeRatio]:
    intervals = _from_intervals(latencies, chosen) if samples is None else _from_samples(samples, chosen)
    found = []
    for percentile, interval in intervals.items():
        a_ms, b_ms = (latency.percentile_ms(percentile) for latency in latencies)
        assert a_ms is not None  # The percentiles chosen are those that both have.
        assert b_ms is not None
        found.append(
            TimeRatio(
                quantity=quantity,
                percentile=percentile,
                a_ms=a_ms,
                b_ms=b_ms,
                ratio=b_ms / a_ms,
                interval_95=interval,
                method="intervals" if samples is None else "samples",
                verdict=judge(interval, margin),
                counting_difference_ruled_out=rules_out(interval, margin),
            )
        )
    return found


def _from_samples(samples: tuple[NDArray[np.int64], NDArray[np.int64]], chosen: list[Percentile]) -> _Intervals:
    """Bootstrap each side separately: the processes ran at different times, so their calls cannot be paired."""
    shares = [PERCENTILES[percentile] for percentile in chosen]
    drawn = [
        resampled_percentiles(values, shares, resamples=_RESAMPLES, seed=seed) for seed, values in enumerate(samples)
    ]
    low, high = np.quantile(drawn[1] / drawn[0], (0.025, 0.975), axis=0)
    return {percentile: (float(low[at]), float(high[at])) for at, percentile in enumerate(chosen)}


def _from_intervals(latencies: tuple[Latency, Latency], chosen: list[Percentile]) -> _Intervals:
    """Recover the interval from the two intervals of each percentile, in logarithms."""
    found = {}
    for percentile in chosen:
        (a, a_interval), (b, b_interval) = (_in_logarithms(latency, percentile) for latency in latencies)
        low, high = interval_of_difference(a, a_interval, b, b_interval)
        found[percentile] = (math.exp(low), math.exp(high))
    return found


def _in_logarithms(latency: Latency, percentile: Percentile) -> tuple[float, tuple[float, float]]:
    low, high = latency.interval_95_ms[percentile]
    value = latency.percentile_ms(percentile)
    assert value is not None  # The percentile is there wherever its interval is.
    return math.log(value), (math.log(low), math.log(high))


def _overall(verdicts: list[Verdict]) -> Verdict:
    for verdict in ("slower", "faster"):
        if verdict in verdicts:
            return verdict
    return "no difference shown"


def _accuracy(a: BenchRow, b: BenchRow) -> AccuracyChange | None:
    if a.accuracy is None or b.accuracy is None:
        return None
    low, high = interval_of_difference(
        a.accuracy.accuracy, a.accuracy.accuracy_interval_95, b.accuracy.accuracy, b.accuracy.accuracy_interval_95
    )
    return AccuracyChange(
        dataset=b.accuracy.dataset,
        a_accuracy=a.accuracy.accuracy,
        b_accuracy=b.accuracy.accuracy,
        difference_points=(b.accuracy.accuracy - a.accuracy.accuracy) * 100.0,
        interval_95_points=(low * 100.0, high * 100.0),
    )
