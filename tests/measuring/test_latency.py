import ast
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from resemote_edge.errors import InputError
from resemote_edge.measuring.latency import PERCENTILES, median_ms, quantiles_ms, runs_needed, summarize_latency

ROOT = Path(__file__).resolve().parents[2] / "resemote_edge"

#: Other modules that ask for percentiles, and of what.
OF_OTHER_THINGS = {
    "measuring/statistics/ratio.py": "ratios that a bootstrap drew",
    "benchmarks/compare/rows.py": "ratios that a bootstrap drew",
}


def asks_for_percentiles(path):
    names = {"percentile", "nanpercentile", "quantile", "nanquantile", "quantiles"}
    calls = (node.func for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))
    return any(getattr(call, "attr", getattr(call, "id", "")) in names for call in calls)


def test_percentiles_of_latencies_are_computed_in_one_place():
    paths = [
        path for room in ("measuring", "benchmarks", "experiments/contest") for path in (ROOT / room).rglob("*.py")
    ]
    found = {str(path.relative_to(ROOT)) for path in paths if asks_for_percentiles(path)}
    assert found == {"measuring/latency.py", *OF_OTHER_THINGS}


def test_medians_and_quantiles_are_in_ms():
    samples = np.arange(1, 101, dtype=np.int64) * 1_000_000
    assert median_ms(samples.reshape(10, 10)) == pytest.approx(50.5)
    assert quantiles_ms(samples, [0.5, 0.99]) == pytest.approx([50.5, 99.01])


def test_figures_of_a_known_sample():
    found = summarize_latency(np.arange(1, 10_001, dtype=np.int64) * 1_000)
    assert found.runs == 10_000
    assert (found.min_ms, found.max_ms) == (0.001, 10.0)
    assert found.p50_ms == pytest.approx(5.0005)
    assert found.p99_9_ms == pytest.approx(9.990, abs=0.001)


@pytest.mark.parametrize(("share", "runs"), [(0.5, 6), (0.9, 36), (0.95, 72), (0.99, 368), (0.999, 3688)])
def test_percentiles_that_few_samples_cannot_show(share, runs):
    assert runs_needed(share) == runs
    name = next(name for name, value in PERCENTILES.items() if value == share)
    samples = np.random.default_rng(0).integers(1_000, 9_000, runs)
    assert name in summarize_latency(samples).interval_95_ms
    fewer = summarize_latency(samples[:-1])
    assert name not in fewer.interval_95_ms
    assert fewer.percentile_ms(name) is None or name == "p50"


def test_nothing_is_clipped():
    samples = np.full(5000, 1_000_000)
    samples[17] = 900_000_000
    assert summarize_latency(samples).max_ms == 900.0


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(1)
    inside = 0
    for trial in range(200):
        found = summarize_latency(rng.lognormal(13.0, 0.3, 400).astype(np.int64), seed=trial)
        low, high = found.interval_95_ms["p50"]
        inside += low <= np.exp(13.0) / 1e6 <= high
    assert 180 <= inside <= 199  # 90 to 99.5 %


def test_samples_that_resemble_their_neighbours_widen_the_interval():
    rng = np.random.default_rng(2)
    slow = np.repeat(rng.normal(1_000_000, 100_000, 50), 20).astype(np.int64)
    shuffled = rng.permutation(slow)

    def width(samples):
        low, high = summarize_latency(samples).interval_95_ms["p50"]
        return high - low

    assert width(slow) > 2 * width(shuffled)


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=200))
def test_percentiles_are_in_order_and_within_the_sample(values):
    found = summarize_latency(np.asarray(values, dtype=np.int64))
    ladder = [found.percentile_ms(name) for name in PERCENTILES if found.percentile_ms(name) is not None]
    assert ladder == sorted(ladder)
    assert found.min_ms <= ladder[0]
    assert ladder[-1] <= found.max_ms
    for low, high in found.interval_95_ms.values():
        assert found.min_ms <= low <= high <= found.max_ms


def test_the_same_samples_give_the_same_interval():
    samples = np.random.default_rng(3).integers(1_000, 9_000, 500)
    assert summarize_latency(samples) == summarize_latency(samples)


def test_no_samples():
    with pytest.raises(InputError, match="no call was timed"):
        summarize_latency(np.array([], dtype=np.int64))
