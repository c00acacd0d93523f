import numpy as np
import pytest

from resemote_edge.benchmarks.harness import Budget, Samples, time_calls
from resemote_edge.benchmarks.report import NOT_MEASURED, markdown_report, markdown_table, write_report
from resemote_edge.benchmarks.results import read_report
from resemote_edge.benchmarks.runner import BenchRequest, parse_batches, run_bench
from resemote_edge.benchmarks.tables import regenerate
from resemote_edge.errors import DeviceUnavailableError, InputError, ResEmoteEdgeError
from resemote_edge.runtimes.registry import get_runtime

QUICK = {"warmup_runs": 2, "min_runs": 5, "min_seconds": 0.0, "threads": 1}


@pytest.fixture(scope="module")
def report(artifacts):
    made = (artifacts("cpu-onnxruntime-fp32"), artifacts("rtx-tensorrt-fp16"))
    return run_bench(BenchRequest(artifacts=made, batches=(1, 3), **QUICK))


def test_every_pair_has_a_row_per_batch(report):
    measured = [(row.artifact, row.runtime, row.batch) for row in report.rows if row.target == "onnx"]
    assert measured == [
        ("cpu-onnxruntime-fp32", runtime, batch) for runtime in ("openvino", "onnxruntime") for batch in (1, 3)
    ]


def test_what_cannot_run_here_is_listed_with_the_reason(report):
    if get_runtime("tensorrt").probe().available:
        pytest.skip("this machine has a GPU")
    (skipped,) = report.skipped
    assert (skipped.artifact, skipped.runtime) == ("rtx-tensorrt-fp16", "tensorrt")
    assert skipped.reason


def test_figures_hold_together(report, artifacts):
    model = next(e for e in artifacts("cpu-onnxruntime-fp32").passport.files if e.path == "model.onnx")
    for row in report.rows:
        speed = row.speed
        assert 0 < speed.latency_p50_ms <= speed.latency_p90_ms <= speed.latency_p99_ms
        assert speed.throughput_samples_per_s == pytest.approx(row.batch / speed.latency_mean_ms * 1e3)
        assert speed.runs >= 5
        assert speed.warmup_runs == 2
        assert speed.file_sha256 == model.sha256
        assert row.model_size_bytes == model.size_bytes
        assert 20e6 < speed.peak_memory_bytes < 4e9
        assert row.accuracy is None


def test_the_report_survives_the_round_trip_and_reads_well(report, tmp_path):
    written = write_report(report, tmp_path)
    assert read_report(written["json"]).to_json() == report.to_json()
    text = written["markdown"].read_text()
    assert text.count(NOT_MEASURED) >= len(report.rows)
    assert "latency.png" in text
    assert written["picture"].read_bytes().startswith(b"\x89PNG")
    assert len(markdown_table(report).splitlines()) == 2 + len(report.rows)
    assert "latency.png" not in markdown_report(report)


def test_accuracy_stands_in_the_row_of_the_same_file(artifacts, tiny_fer2013):
    report = run_bench(
        BenchRequest(
            artifacts=(artifacts("cpu-openvino-fp32"),), runtime="openvino", batches=(1,), data=tiny_fer2013, **QUICK
        )
    )
    (row,) = report.rows
    assert row.accuracy.samples == 14
    assert row.accuracy.dataset == "fer2013 test"
    assert "%" in markdown_table(report).splitlines()[-1]
    # The IR's weights stand in a file of their own, and count.
    sizes = {e.path: e.size_bytes for e in artifacts("cpu-openvino-fp32").passport.files}
    assert row.model_size_bytes == sizes["model.xml"] + sizes["model.bin"]


def test_a_runtime_named_must_work(artifacts):
    if get_runtime("tensorrt").probe().available:
        pytest.skip("this machine has a GPU")
    request = BenchRequest(artifacts=(artifacts("rtx-tensorrt-fp16"),), runtime="tensorrt", **QUICK)
    with pytest.raises(DeviceUnavailableError):
        run_bench(request)
    with pytest.raises(DeviceUnavailableError, match="nothing to measure"):
        run_bench(BenchRequest(artifacts=(artifacts("rtx-tensorrt-fp16"),), **QUICK))


def test_a_runtime_that_cannot_load_the_artifact(artifacts):
    request = BenchRequest(artifacts=(artifacts("cpu-openvino-fp32"),), runtime="onnxruntime", **QUICK)
    with pytest.raises(InputError, match="it runs in openvino"):
        run_bench(request)


def test_a_batch_beyond_the_profile(artifacts):
    request = BenchRequest(artifacts=(artifacts("rtx-tensorrt-fp16"),), runtime="onnxruntime", batches=(17,), **QUICK)
    with pytest.raises(InputError, match="largest batch is 16"):
        run_bench(request)


def test_a_failure_in_the_worker_is_one_sentence(artifacts, tmp_path):
    request = BenchRequest(
        artifacts=(artifacts("cpu-onnxruntime-fp32"),), runtime="onnxruntime", batches=(1,),
        data=tmp_path / "gone", **QUICK,
    )  # fmt: skip
    with pytest.raises(ResEmoteEdgeError, match="no such dataset"):
        run_bench(request)


@pytest.mark.parametrize(("text", "batches"), [("1", (1,)), ("1, 8,32", (1, 8, 32))])
def test_batches(text, batches):
    assert parse_batches(text) == batches


@pytest.mark.parametrize("text", ["", "0", "1,,2", "-1", "x", "1.5"])
def test_bad_batches(text):
    with pytest.raises(InputError, match="whole numbers"):
        parse_batches(text)


def test_the_harness_keeps_every_sample():
    calls = []
    both = time_calls(
        [lambda: calls.append("a"), lambda: calls.append("b")], Budget(warmup_runs=3, min_runs=7, min_seconds=0.0)
    )
    assert calls == ["a", "b"] * 10  # in turn
    assert [(samples.runs, samples.warmup_runs) for samples in both] == [(7, 3), (7, 3)]
    (capped,) = time_calls([lambda: None], Budget(warmup_runs=0, min_runs=1, min_seconds=60.0, max_runs=9))
    assert capped.runs == 9


def test_percentiles_are_in_ms():
    samples = Samples(0, np.arange(1, 101, dtype=np.int64) * 1_000_000)
    assert samples.percentile_ms(50) == pytest.approx(50.5)
    assert samples.percentile_ms(99) == pytest.approx(99.01)
    assert samples.mean_ms == pytest.approx(50.5)


def test_tables_are_made_from_the_json(report, tmp_path):
    write_report(report, tmp_path / "results")
    document = tmp_path / "page.md"
    document.write_text("before\n<!-- table: results/report.json -->\nstale\n<!-- end of table -->\nafter\n")
    text = regenerate(document)
    assert "stale" not in text
    assert markdown_table(report) in text
    document.write_text(text)
    assert regenerate(document) == text
    document.write_text("<!-- table: gone.json -->\n<!-- end of table -->\n")
    with pytest.raises(InputError, match=r"gone\.json"):
        regenerate(document)
