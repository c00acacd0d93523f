"""What the machine can do: figures, and that they are of the precision they claim."""

import subprocess
import sys

import numpy as np
import pytest

from resemote_edge.errors import InputError
from resemote_edge.measuring.probes import PROBED, probe_machine, probe_peak
from resemote_edge.measuring.probes.bandwidth import read_bandwidth
from resemote_edge.measuring.probes.openvino import time_product
from resemote_edge.runtimes.cpu_features import int8_sums_saturate, why_no_bf16

SIDE = 512

ENGINES = ["openvino", "onnxruntime"]

#: Runs code in a process where these packages cannot be imported.
WITHOUT = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocker())
{code}
"""


def run_without(packages, code):
    command = [sys.executable, "-c", WITHOUT.format(packages=packages, code=code)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_machine_can_do_something_in_every_precision_it_has():
    found = probe_machine(1, side=SIDE)
    assert [peak.precision for peak in found.peaks] == list(PROBED)
    assert found.memory_gb_per_s > 0
    assert "reading 268 MB in order, 1 thread of numpy" in found.memory_method
    for precision in ("fp32", "int8"):
        assert found.gmac_per_s(precision) > 0
    assert found.gmac_per_s("fp16") is None
    assert found.gmac_per_s(None) is None


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("precision", "ends"), [("fp32", ("f32", "MatMul")), ("int8", ("i8", "MatMulInteger"))])
def test_a_peak_names_the_kernel_that_ran(engine, precision, ends):
    peak = probe_peak(engine, precision, 1, side=SIDE)
    assert peak.gmac_per_s > 0
    assert peak.kernel.lower().endswith(tuple(end.lower() for end in ends))
    assert peak.engine.startswith(f"{engine} ")
    assert ("no VNNI" in (peak.note or "")) == (precision == "int8" and int8_sums_saturate())


@pytest.mark.skipif(why_no_bf16() is None, reason="this CPU has bf16 arithmetic")
@pytest.mark.parametrize("engine", ENGINES)
def test_bf16_is_not_measured_where_the_cpu_has_none(engine):
    peak = probe_peak(engine, "bf16", 1, side=SIDE)
    assert peak.gmac_per_s is None
    assert peak.note == why_no_bf16()


def test_a_peak_in_bf16_is_never_one_in_fp32(tmp_path):
    # A CPU that claims bf16. OpenVINO accepts the hint in any case, and computes in bf16 only if the CPU has it.
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc" / "cpuinfo").write_text("flags : avx2 avx512_bf16\n")
    peak = probe_peak("openvino", "bf16", 1, side=SIDE, root=tmp_path)
    if why_no_bf16() is None:
        assert peak.gmac_per_s > 0
        assert peak.kernel.lower().endswith("bf16")
    else:
        assert peak.gmac_per_s is None
        assert peak.note.startswith("asked for bf16, openvino computed in fp32")
    other = probe_peak("onnxruntime", "bf16", 1, side=SIDE, root=tmp_path)
    assert other.gmac_per_s is None
    assert "resemote-edge[openvino]" in other.note


def test_products_too_short_for_counters_of_microseconds_are_refused():
    with pytest.raises(InputError, match="a product of 511 rows is too short to be timed; take 512 at least"):
        probe_peak("openvino", "fp32", 1, side=511)


def test_the_smallest_product_takes_less_time_than_a_large_one():
    # On a fast CPU, counters of whole microseconds reported zero and even negative times for shorter products.
    small, large = (time_product("int8", 1, side).seconds for side in (SIDE, 3 * SIDE))
    assert 0 < small < large  # of 27 times the work


@pytest.mark.parametrize("missing", ENGINES)
def test_one_engine_is_enough(missing):
    (other,) = set(ENGINES) - {missing}
    code = (
        "from resemote_edge.measuring.probes import probe_machine\n"
        f"for peak in probe_machine(1, side={SIDE}).peaks: print(peak.precision, peak.engine, peak.gmac_per_s)"
    )
    done = run_without([missing], code)
    assert done.returncode == 0, done.stderr
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert lines.keys() == set(PROBED)
    for precision in ("fp32", "int8"):
        assert lines[precision].startswith(f"{precision} {other} ")


def test_no_engine_is_refused_with_the_cure():
    code = "from resemote_edge.measuring.probes import probe_machine\nprobe_machine(1)"
    done = run_without(ENGINES, code)
    assert "MissingDependencyError" in done.stderr
    assert "pip install 'resemote-edge[openvino]'" in done.stderr


def test_bandwidth_is_of_all_that_is_read(monkeypatch):
    read = []
    original = np.array_split
    monkeypatch.setattr(np, "array_split", lambda array, parts: read.append(array.nbytes) or original(array, parts))
    bandwidth, method = read_bandwidth(2)
    assert bandwidth > 0
    assert read == [256 * 2**20]
    assert "2 threads" in method
