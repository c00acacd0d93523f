"""Conclusions of made-up explanations: every rule, at its borders."""

import pytest
from made_up_explanations import explanation, layer

from resemote_edge.benchmarks.explain.conclusion import conclude, deviations


def test_weight_traffic():
    found = conclude(explanation(layer("fc", megabytes=36.2, mega_multiply_adds=9), between_us=724))
    assert found.bound == "weights"
    assert found.sentence == (
        "bound by weight traffic: 36.2 MB at 10 GB/s is 3.62 ms; you are at 1.2x of it; "
        "more faces per batch are nearly free"
    )


def test_weight_traffic_with_arithmetic_close_behind():
    found = conclude(explanation(layer("fc", megabytes=1, mega_multiply_adds=6)))
    assert found.bound == "weights"
    assert found.sentence.endswith("a larger batch shares the reading, but its arithmetic takes 0.06 ms already")


def test_faster_than_memory():
    found = conclude(explanation(layer("fc", megabytes=10, times_floor=0.5)))
    assert found.bound == "weights"
    assert "you are at 0.5x of it, so weights stay in a cache between calls" in found.sentence


def test_arithmetic():
    found = conclude(explanation(layer("conv", megabytes=0.1, mega_multiply_adds=100), between_us=200))
    assert found.bound == "arithmetic"
    assert found.sentence == (
        "bound by arithmetic: 0.10 G multiply-adds at 100 G/s are 1.00 ms; you are at 1.2x of it; "
        "a larger batch brings nothing"
    )


def test_arithmetic_with_some_reading_to_share():
    layers = layer("conv", mega_multiply_adds=75), layer("fc", megabytes=2.5)
    found = conclude(explanation(*layers))
    assert found.bound == "arithmetic"
    assert found.sentence.endswith("a larger batch brings at most 25 %")


def test_precisions_are_taken_at_their_own_peaks():
    layers = layer("a", mega_multiply_adds=100), layer("b", mega_multiply_adds=400, precision="int8")
    found = conclude(explanation(*layers))
    assert "0.50 G multiply-adds at 250 G/s are 2.00 ms; you are at 1.0x of it" in found.sentence


def test_both():
    layers = layer("conv", mega_multiply_adds=40), layer("fc", megabytes=6)
    found = conclude(explanation(*layers, between_us=100))
    assert found.bound == "both"
    assert "60 % of the floor is weight traffic; you are at 1.1x of the floor" in found.sentence


@pytest.mark.parametrize(("megabytes", "bound"), [(6.6, "both"), (6.8, "weights"), (3.4, "both"), (3.2, "arithmetic")])
def test_two_thirds_of_the_floor_decide(megabytes, bound):
    layers = layer("fc", megabytes=megabytes), layer("conv", mega_multiply_adds=(10 - megabytes) * 10)
    assert conclude(explanation(*layers)).bound == bound


def test_overhead_between_layers():
    found = conclude(explanation(layer("fc", megabytes=3, times_floor=1.5), between_us=300))
    assert found.bound == "neither"
    assert (
        found.sentence == "bound by neither: overhead between layers is 40 % of 0.75 ms, the layers' floor is 0.30 ms"
    )


def test_layers_far_from_their_floor():
    layers = layer("fc", megabytes=1), layer("conv", mega_multiply_adds=10, times_floor=5)
    found = conclude(explanation(*layers, between_us=100))
    assert found.bound == "neither"
    assert found.sentence == (
        "bound by neither: the layers take 3.0 times their floor of 0.20 ms; conv alone loses 0.40 ms"
    )


def test_twice_the_floor_is_still_bound_by_it():
    assert conclude(explanation(layer("fc", megabytes=1), between_us=100)).bound == "weights"
    assert conclude(explanation(layer("fc", megabytes=1), between_us=101)).bound == "neither"


def test_small_weights_that_are_unpacked_at_load():
    packed = layer("fc", megabytes=1, weights=1_000_000, times_floor=4)
    found = conclude(explanation(packed))
    assert found.bound == "neither"
    assert found.sentence.endswith("an engine that unpacks the weights when it loads them reads 4.0 MB in 0.40 ms")


def test_a_precision_without_a_peak():
    found = conclude(explanation(layer("a", mega_multiply_adds=3), layer("b", mega_multiply_adds=7, precision="bf16")))
    assert found.bound == "unknown"
    assert found.sentence == "no conclusion: 70 % of the multiply-adds ran in bf16, whose peak was not measured"


def test_a_little_of_it_does_no_harm():
    layers = layer("a", mega_multiply_adds=70), layer("b", mega_multiply_adds=1, precision="bf16", time_us=10.0)
    found = conclude(explanation(*layers))
    assert found.bound == "arithmetic"
    assert "0.07 G multiply-adds at 100 G/s" in found.sentence


def test_a_precision_that_was_not_recorded_is_read_from_the_kernel():
    told = layer("a", mega_multiply_adds=40, precision=None, kernel="brgemm_avx512_I8", floor_us=100.0, time_us=110.0)
    assert "0.04 G multiply-adds at 400 G/s" in conclude(explanation(told)).sentence
    untold = layer("a", mega_multiply_adds=40, precision=None, kernel="Gemm", floor_us=100.0, time_us=110.0)
    assert "ran in a precision the engine does not tell" in conclude(explanation(untold)).sentence


def test_deviations_are_named_and_nothing_else():
    kept, other = layer("se.fc.0"), layer("fc1", promised="int8")
    assert deviations(explanation(kept)) is None
    assert deviations(explanation(kept, layer("x", precision=None, promised="int8"))) is None
    assert deviations(explanation(kept, other)) == "fc1 ran in fp32, where the artifact promises int8"
    many = [layer(f"fc{number}", promised="int8") for number in range(6)]
    assert deviations(explanation(kept, *many)).startswith("fc0, fc1, fc2, fc3 and 2 more ran in fp32")
    assert deviations(explanation(*many)) == "all 6 layers ran in fp32, where the artifact promises int8"


def test_a_hint_that_was_not_followed_is_no_broken_promise_of_the_artifact():
    found = explanation(layer("a", precision="bf16"), layer("b", promised="bf16"), precision_hint="bf16")
    assert deviations(found) == "b ran in fp32, where bf16 was asked for"
