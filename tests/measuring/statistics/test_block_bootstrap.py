import numpy as np
import pytest

from resemote_edge.measuring.statistics.block_bootstrap import resampled_percentiles
from resemote_edge.measuring.statistics.recovered_interval import interval_of_difference

SHARES = (0.5, 0.9)


def interval(samples, seed=0, resamples=400):
    return np.quantile(resampled_percentiles(samples, (0.5,), resamples=resamples, seed=seed)[:, 0], (0.025, 0.975))


def test_a_row_per_resample_and_a_column_per_percentile():
    samples = np.random.default_rng(0).integers(1000, 2000, 1000)
    found = resampled_percentiles(samples, SHARES, resamples=50, seed=3)
    assert found.shape == (50, 2)
    assert np.all(found[:, 0] <= found[:, 1])
    assert np.isin(found, samples).all()
    assert np.array_equal(found, resampled_percentiles(samples, SHARES, resamples=50, seed=3))
    assert not np.array_equal(found, resampled_percentiles(samples, SHARES, resamples=50, seed=4))


def test_it_is_what_drawing_blocks_gives():
    # Ten blocks of ten, drawn by hand with the same generator, and percentiles of what was drawn.
    samples = np.random.default_rng(5).permutation(100)
    found = resampled_percentiles(samples, SHARES, resamples=30, seed=11)
    times = np.random.default_rng(11).multinomial(10, np.full(10, 0.1), size=30)
    blocks = samples.reshape(10, 10)
    for row, drawn in zip(found, times, strict=True):
        resample = np.sort(np.repeat(blocks, drawn, axis=0).reshape(-1))
        assert row.tolist() == [resample[49], resample[89]]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 101])
def test_any_number_of_samples_will_do(count):
    found = resampled_percentiles(np.arange(count), (0.001, 0.5, 0.999), resamples=20, seed=0)
    assert found.min() >= 0
    assert found.max() <= count - 1


def test_neighbours_that_resemble_each_other_widen_the_interval():
    rng = np.random.default_rng(1)
    alone = rng.normal(1e6, 5e4, 2500).astype(np.int64)
    phases = (np.repeat(rng.normal(1e6, 5e4, 50), 50) + rng.normal(0, 5e3, 2500)).astype(np.int64)
    (low, high), (low_of_phases, high_of_phases) = interval(alone), interval(phases)
    assert high_of_phases - low_of_phases > 3 * (high - low)


def test_it_holds_the_median_about_as_often_as_it_should():
    rng = np.random.default_rng(2)
    held = 0
    for trial in range(200):
        low, high = interval(rng.exponential(1e6, 900).astype(np.int64), seed=trial, resamples=200)
        held += low <= np.log(2) * 1e6 <= high
    assert 0.88 <= held / 200 <= 0.99


def test_an_interval_recovered_from_two():
    # Symmetric intervals add up as standard errors do. Asymmetric ones stay asymmetric, and are mirrored with the sign.
    assert interval_of_difference(1.0, (0.7, 1.3), 2.0, (1.6, 2.4)) == pytest.approx((0.5, 1.5))
    low, high = interval_of_difference(0.0, (0.0, 0.3), 1.0, (1.0, 1.4))
    assert (low, high) == pytest.approx((0.7, 1.4))
    assert interval_of_difference(1.0, (1.0, 1.4), 0.0, (0.0, 0.3)) == pytest.approx((-high, -low))


def test_newcombes_own_example():
    # Newcombe 1998, table II: 56 of 70 and 48 of 80; by method 10 the difference of 0.2 has 0.0524 to 0.3339.
    def wilson(right, count, z=1.959964):
        share = right / count
        centre, half = share + z * z / (2 * count), z * np.sqrt(share * (1 - share) / count + z * z / (4 * count**2))
        return (centre - half) / (1 + z * z / count), (centre + half) / (1 + z * z / count)

    found = interval_of_difference(48 / 80, wilson(48, 80), 56 / 70, wilson(56, 70))
    assert found == pytest.approx((0.0524, 0.3339), abs=1e-4)
