"""The precision hint: OpenVINO accepts it if the CPU has bf16, and every other runtime refuses it."""

import numpy as np
import pytest

from resemote_edge.benchmarks.report.markdown import markdown_table
from resemote_edge.benchmarks.suite.file import SUITE_SCHEMA, Suite
from resemote_edge.benchmarks.suite.in_memory import run_in_memory
from resemote_edge.errors import DeviceUnavailableError, InputError
from resemote_edge.measuring.scenarios import ScenarioSettings
from resemote_edge.runtimes.registry import open_session
from resemote_edge.runtimes.session import SessionOptions

SETTINGS = ScenarioSettings(warmup_runs=1, warmup_seconds=0.0, min_runs=3, min_seconds=0.0)
BF16 = SessionOptions(device="cpu", threads=1, precision_hint="bf16")


@pytest.mark.parametrize(
    ("runtime", "recipe"), [("onnxruntime", "cpu-onnxruntime-fp32"), ("tensorrt", "rtx-tensorrt-fp16")]
)
def test_other_runtimes_refuse_it(runtime, recipe, artifacts):
    if runtime == "tensorrt":
        pytest.importorskip("tensorrt_rtx")  # it builds the engine
    with pytest.raises(InputError, match=f"runtime {runtime} knows no precision hint, got 'bf16'"):
        open_session(artifacts(recipe), runtime, BF16)


def test_only_bf16_is_known():
    with pytest.raises(InputError, match="can only be 'bf16' or 'tf32', got 'fp8'"):
        SessionOptions(precision_hint="fp8")


def test_openvino_knows_bf16_only(artifacts):
    pytest.importorskip("openvino")
    with pytest.raises(InputError, match=r"openvino knows the precision hint bf16 only, got 'tf32'.*--runtime pytorch"):
        open_session(artifacts("cpu-openvino-fp32"), "openvino", SessionOptions(device="cpu", precision_hint="tf32"))


@pytest.mark.parametrize(
    ("runtime", "recipe"), [("onnxruntime", "cpu-onnxruntime-fp32"), ("openvino", "cpu-openvino-fp32")]
)
def test_other_runtimes_record_no_cuda_graph(runtime, recipe, artifacts):
    with pytest.raises(InputError, match=f"runtime {runtime} records no CUDA graph"):
        open_session(artifacts(recipe), runtime, SessionOptions(cuda_graph=True))


def test_openvino_computes_in_bf16_where_the_cpu_has_it(artifacts):
    openvino = pytest.importorskip("openvino")
    artifact = artifacts("cpu-openvino-fp32")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        with pytest.raises(DeviceUnavailableError, match="cpu has no bf16"):
            open_session(artifact, "openvino", BF16)
        return
    x = np.random.default_rng(0).standard_normal((16, 3, 64, 64)).astype(np.float32)
    with open_session(artifact, "openvino", BF16) as coarse, open_session(artifact, "openvino") as exact:
        got, want = (session.run({"input": x})["logits"] for session in (coarse, exact))
    difference = float(np.abs(got - want).max() / np.abs(want).max())
    assert 1e-4 < difference < 0.1  # fp32 would be closer, and another network farther away


def test_auto_finds_the_runtime_that_takes_it(artifacts):
    openvino = pytest.importorskip("openvino")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this CPU has no bf16")
    with open_session(artifacts("cpu-onnxruntime-fp32"), "auto", BF16) as session:
        assert session.runtime == "openvino"


def test_bench_says_so_in_the_row_and_lists_who_refused(artifacts):
    openvino = pytest.importorskip("openvino")
    if "BF16" not in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this CPU has no bf16")
    suite = Suite(
        schema=SUITE_SCHEMA, name="test", description="A test.", settings=SETTINGS, threads=(1,), precision_hint="bf16"
    )
    report = run_in_memory(suite, [artifacts("cpu-onnxruntime-fp32")])
    assert [(row.runtime, row.precision, row.precision_hint) for row in report.rows] == [("openvino", "fp32", "bf16")]
    assert "fp32, bf16 hint" in markdown_table(report)
    # The runtime native too, if its library is built.
    assert {"onnxruntime"} <= {row.runtime for row in report.unmeasured} <= {"onnxruntime", "native"}
    for row in report.unmeasured:
        assert row.state == "skipped"
        assert "knows no precision hint" in row.reason
