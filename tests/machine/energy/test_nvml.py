import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from resemote_edge.machine.energy import NotMeasured
from resemote_edge.machine.energy.nvml import NVMLSensor

pytest.importorskip("pynvml", reason="the package nvidia-ml-py is not installed")

FOUND = """
import json, os
from pathlib import Path
from resemote_edge.machine.energy import NotMeasured
from resemote_edge.machine.energy.nvml import NVMLSensor
sensor = NVMLSensor.find(Path("/"))
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """Compile the stand-in for the driver's library, with more arguments for the compiler."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("gcc is not here, and the stand-in for NVIDIA's library has to be compiled")
    source = Path(__file__).with_name("nvml_library.c")

    def compile_library(*arguments):
        folder = tmp_path_factory.mktemp("nvml")
        command = [compiler, "-shared", "-fPIC", "-Wall", "-Werror", *arguments]
        subprocess.run([*command, "-o", folder / "libnvidia-ml.so.1", source], check=True)
        return folder

    return compile_library


@pytest.fixture(scope="module")
def whole(build):
    return build()


@pytest.fixture
def look(tmp_path):
    """Run code after `FOUND` in a process that finds the library in a folder; what its `answer` was."""

    def run(library, code, **settings):
        environment = {
            **os.environ,
            "LD_LIBRARY_PATH": str(library),
            "LOG": str(tmp_path / "log"),
            "PYTHONPATH": os.pathsep.join(sys.path),
            **settings,
        }
        command = [sys.executable, "-W", "error", "-c", f"{FOUND}{code}\nprint(json.dumps(answer))"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


@pytest.fixture
def why_missing(look):
    return lambda library, **settings: look(
        library, "assert isinstance(sensor, NotMeasured), sensor\nanswer = sensor.reason", **settings
    )


@pytest.fixture
def log(tmp_path):
    return lambda: (tmp_path / "log").read_text().split()


def test_the_cards_count_joules_themselves(look, whole, log):
    code = """
rails = [(rail.name, rail.in_total) for rail in sensor.rails]
answer = [sensor.gives, sensor.covers, rails, sensor.read()]
sensor.close()
sensor.close()
"""
    found = look(whole, code, GPUS="2", ENERGY_MJ="5000000000123")  # more than 32 bits
    rails = [["GPU 0 Tesla T4", True], ["GPU 1 Tesla T5", True]]
    assert found == ["joules", "gpu", rails, [5000000000.123, 5000000000.124]]
    assert log() == ["init", "shutdown"]


RUN = """
from resemote_edge.errors import DeviceUnavailableError
from resemote_edge.machine.energy.integral import integral_of
integral = integral_of(sensor)
integral.add(0.0, sensor.read())
os.environ["ENERGY_MJ"] = "{later}"
try:
    integral.add(2.0, sensor.read())
    answer = integral.joules
except DeviceUnavailableError as error:
    answer = str(error)
"""


def test_joules_of_a_run_are_a_difference(look, whole):
    assert look(whole, RUN.format(later=61000), ENERGY_MJ="1000") == pytest.approx([60.0])


def test_a_driver_that_was_loaded_anew_is_no_wrap(look, whole):
    assert "driver was loaded anew" in look(whole, RUN.format(later=10), ENERGY_MJ="61000")


SAMPLED = "answer = [sensor.gives, sensor.read(), sensor.interval_s < 0.1]"


def test_without_a_counter_power_is_sampled(look, whole):
    assert look(whole, SAMPLED, POWER_MW="70500") == ["watts", [70.5], True]


def test_a_driver_before_the_counter_is_sampled(look, build):
    library = build("-DnvmlDeviceGetTotalEnergyConsumption=other")
    assert look(library, SAMPLED, POWER_MW="70500", ENERGY_MJ="1000") == ["watts", [70.5], True]


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, "GPU 0 Tesla T4 tells neither its energy nor its power"),
        ({"GPUS": "0"}, "NVIDIA's driver is here, and shows this process no GPU"),
        ({"STATUS": "15"}, "NVML failed: GPU is lost; look at nvidia-smi"),
    ],
)
def test_what_cannot_be_used_is_missing_and_the_library_is_let_go(settings, reason, why_missing, whole, log):
    assert why_missing(whole, **settings) == reason
    assert log() == ["init", "shutdown"]


def test_a_driver_that_does_not_answer_is_missing(why_missing, whole, log):
    assert why_missing(whole, INIT="9").startswith("NVML cannot be used: Driver Not Loaded; ")
    assert log() == ["init"]


def test_a_card_that_is_lost_fails_at_the_next_reading(look, whole):
    code = """
from resemote_edge.errors import DeviceUnavailableError
os.environ["STATUS"] = "15"
try:
    sensor.read()
except DeviceUnavailableError as error:
    answer = [error.reason, error.hint]
"""
    assert look(whole, code, ENERGY_MJ="1000") == ["NVML failed: GPU is lost", "look at nvidia-smi"]


def test_a_library_that_lacks_a_function_is_missing(why_missing, build):
    reason = why_missing(build("-DnvmlDeviceGetCount_v2=nvmlDeviceGetCount"))
    assert reason == "NVML failed: Function Not Found; look at nvidia-smi"


def test_without_a_driver_the_reason_says_what_brings_one(why_missing, tmp_path):
    (tmp_path / "libnvidia-ml.so.1").touch()  # is found before a real one, and cannot be loaded
    reason = why_missing(tmp_path)
    assert "NVML Shared Library Not Found; it comes with NVIDIA's driver" in reason


def test_without_the_package_the_reason_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    missing = NVMLSensor.find(Path("/"))
    assert isinstance(missing, NotMeasured)
    assert "run: pip install nvidia-ml-py" in missing.reason


def test_a_recorded_machine_does_not_get_this_machines_cards(tmp_path):
    missing = NVMLSensor.find(tmp_path)
    assert isinstance(missing, NotMeasured)
    assert f"recorded in {tmp_path}" in missing.reason
