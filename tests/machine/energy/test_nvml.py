import os
import shutil
import subprocess
from pathlib import Path

import pytest

from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.machine.energy import NotMeasured
from resemote_edge.machine.energy.integral import integral_of
from resemote_edge.machine.energy.nvml import NVML
from resemote_edge.machine.energy.nvml_sensor import NVMLSensor

HERE = Path("/")


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Compile the stand-in for NVIDIA's library, with more arguments for the compiler."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not here, and the stand-in for NVIDIA's library has to be compiled")
    folder = tmp_path_factory.mktemp("nvml")
    source = Path(__file__).with_name("nvml_library.c")

    def compile_library(name, *arguments):
        library = folder / f"{name}.so"
        subprocess.run(
            [compiler, "-shared", "-fPIC", "-Wall", "-Werror", *arguments, "-o", library, source], check=True
        )
        return str(library)

    return compile_library


@pytest.fixture(scope="module")
def whole_library(build):
    return build("whole")


@pytest.fixture
def library(whole_library, tmp_path, monkeypatch):
    """The stand-in, and a file with its starts and ends."""
    for name in ("GPUS", "INIT", "ENERGY_MJ", "POWER_MW", "STATUS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return whole_library


@pytest.fixture
def log(tmp_path):
    return lambda: (tmp_path / "log").read_text().split()


def find(library):
    return NVMLSensor.find(HERE, library)


def test_the_cards_count_joules_themselves(library, log, monkeypatch):
    monkeypatch.setenv("GPUS", "2")
    monkeypatch.setenv("ENERGY_MJ", "5000000000123")  # more than 32 bits
    sensor = find(library)
    assert (sensor.gives, sensor.covers) == ("joules", "gpu")
    assert [(rail.name, rail.in_total) for rail in sensor.rails] == [("GPU 0 Tesla T4", True), ("GPU 1 Tesla T5", True)]
    assert sensor.read() == (5000000000.123, 5000000000.124)
    sensor.close()
    sensor.close()
    assert log() == ["init", "shutdown"]


def test_joules_of_a_run_are_a_difference(library, monkeypatch):
    monkeypatch.setenv("ENERGY_MJ", "1000")
    sensor = find(library)
    integral = integral_of(sensor)
    integral.add(0.0, sensor.read())
    monkeypatch.setenv("ENERGY_MJ", "61000")
    integral.add(2.0, sensor.read())
    assert integral.joules == pytest.approx([60.0])
    sensor.close()


def test_a_driver_that_was_loaded_anew_is_no_wrap(library, monkeypatch):
    monkeypatch.setenv("ENERGY_MJ", "61000")
    sensor = find(library)
    integral = integral_of(sensor)
    integral.add(0.0, sensor.read())
    monkeypatch.setenv("ENERGY_MJ", "10")
    with pytest.raises(DeviceUnavailableError, match="driver was loaded anew"):
        integral.add(2.0, sensor.read())
    sensor.close()


def test_without_a_counter_power_is_sampled(library, monkeypatch):
    monkeypatch.setenv("POWER_MW", "70500")
    sensor = find(library)
    assert sensor.gives == "watts"
    assert sensor.read() == (70.5,)
    assert sensor.interval_s < 0.1
    sensor.close()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, "GPU 0 Tesla T4 tells neither its energy nor its power"),
        ({"GPUS": "0"}, "shows this process no GPU"),
        ({"STATUS": "15"}, "nvmlDeviceGetTotalEnergyConsumption failed: GPU is lost (status 15); look at nvidia-smi"),
    ],
)
def test_what_cannot_be_used_is_missing_and_the_library_is_let_go(settings, reason, library, log, monkeypatch):
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    missing = find(library)
    assert isinstance(missing, NotMeasured)
    assert reason in missing.reason
    assert log() == ["init", "shutdown"]


def test_a_driver_that_does_not_answer_is_missing(library, log, monkeypatch):
    monkeypatch.setenv("INIT", "9")
    missing = find(library)
    assert isinstance(missing, NotMeasured)
    assert missing.reason == "nvmlInit_v2 failed: Driver Not Loaded (status 9); look at nvidia-smi"
    assert log() == ["init"]


def test_a_card_that_is_lost_fails_at_the_next_reading(library, monkeypatch):
    monkeypatch.setenv("ENERGY_MJ", "1000")
    sensor = find(library)
    monkeypatch.setenv("STATUS", "15")
    with pytest.raises(DeviceUnavailableError, match="GPU is lost"):
        sensor.read()
    sensor.close()


def test_an_older_library_names_the_function_it_lacks(build, tmp_path):
    library = build("old", "-DnvmlDeviceGetCount_v2=nvmlDeviceGetCount")
    missing = find(library)
    assert isinstance(missing, NotMeasured)
    assert missing.reason == "nvmlDeviceGetCount_v2 is not in NVIDIA's management library; update the driver"


def test_a_driver_before_the_counter_is_sampled(build, library, monkeypatch):
    monkeypatch.setenv("POWER_MW", "70500")
    sensor = find(build("no-counter", "-DnvmlDeviceGetTotalEnergyConsumption=other"))
    assert sensor.gives == "watts"
    sensor.close()


def test_a_status_without_words_is_told_by_number(build, monkeypatch):
    library = build("silent", "-DnvmlErrorString=other")
    monkeypatch.setenv("INIT", "9")
    with pytest.raises(DeviceUnavailableError, match=r"failed: unknown \(status 9\)"):
        NVML(library)


def test_without_a_driver_the_library_is_named(tmp_path):
    missing = find(str(tmp_path / "libnvidia-ml.so.1"))
    assert isinstance(missing, NotMeasured)
    assert "libnvidia-ml.so.1 cannot be loaded" in missing.reason
    assert "it comes with NVIDIA's driver" in missing.reason


def test_a_recorded_machine_does_not_get_this_machines_cards(library, monkeypatch, tmp_path):
    monkeypatch.setenv("ENERGY_MJ", "1000")
    missing = NVMLSensor.find(tmp_path, library)
    assert isinstance(missing, NotMeasured)
    assert f"recorded in {tmp_path}" in missing.reason
    assert not os.path.exists(os.environ["LOG"])
