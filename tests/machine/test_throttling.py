"""Throttling is true, false or not known, and what happened in between two quiet moments is seen."""

import time

import pytest
from sysfs_trees import jetson_nano, jetson_orin_nano, put, virtual_machine, x86_server

from resemote_edge.machine.throttling import ThrottleWatch, throttling_text

COOLER = "sys/class/thermal/cooling_device1/cur_state"
LIMITS = "sys/devices/system/cpu/cpu*/cpufreq/scaling_max_freq"


def watch(root, during=lambda: None, interval_s=60.0):
    with ThrottleWatch(root, interval_s) as found:
        during()
    return found


@pytest.mark.parametrize(
    ("machine", "answer"),
    [(jetson_nano, False), (jetson_orin_nano, False), (x86_server, False), (virtual_machine, None)],
)
def test_a_quiet_run_was_not_throttled_or_nobody_knows(machine, answer, tmp_path):
    found = watch(machine(tmp_path))
    assert found.did_throttle is answer
    assert found.changes == ()


def test_a_fan_and_a_clock_limit_alone_tell_nothing(tmp_path):
    put(tmp_path, "sys/class/thermal/cooling_device0/type", "pwm-fan")
    put(tmp_path, "sys/class/thermal/cooling_device0/cur_state", 0)
    assert watch(tmp_path).did_throttle is None


def test_what_was_over_before_the_end_is_seen(tmp_path):
    root = jetson_orin_nano(tmp_path)

    def a_hot_moment():
        before = {path: path.read_text() for path in root.glob(LIMITS)}
        assert before
        put(root, COOLER, 3)
        for path, text in before.items():
            path.write_text(f"{int(text) // 2}\n")
        time.sleep(0.5)
        put(root, COOLER, 0)
        for path, text in before.items():
            path.write_text(text)

    found = watch(root, a_hot_moment, interval_s=0.02)
    assert found.before.cooling_states == found.after.cooling_states
    assert found.did_throttle is True
    assert "cpufreq-cpu0 was throttled, from step 0 to step 3" in found.changes
    assert any(sentence.startswith("the CPU's clock limit fell from") for sentence in found.changes)
    # Nothing would be seen if the state were only read before and after.
    assert watch(jetson_orin_nano(tmp_path / "other")).did_throttle is False


def test_heat_and_another_power_mode_are_told_but_are_no_throttling(tmp_path):
    root = jetson_orin_nano(tmp_path)

    def warm():
        put(root, "sys/class/thermal/thermal_zone0/temp", 71343)
        put(root, "var/lib/nvpmodel/status", "pmode:0000")

    found = watch(root, warm)
    assert found.did_throttle is False
    assert len(found.changes) == 2


def test_the_thread_ends_with_the_run_also_when_it_fails(tmp_path):
    found = ThrottleWatch(tmp_path, 60.0)
    with pytest.raises(ZeroDivisionError), found:
        _ = 1 // 0
    assert not found._thread.is_alive()


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([False, False], "no"),
        ([True], "yes"),
        ([None, None], "not known"),
        ([True, False, None, False], "yes in 1 of 4 rows, no in 2 of 4 rows, not known in 1 of 4 rows"),
        ([], ""),
    ],
)
def test_it_is_told_in_words(rows, text):
    assert throttling_text(rows) == text
