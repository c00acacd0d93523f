import shutil

import msgspec
import numpy as np
import pytest

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.benchmarks.report.columns import NOT_MEASURED, TOO_FEW
from resemote_edge.benchmarks.report.files import write_report
from resemote_edge.benchmarks.report.markdown import markdown_report, markdown_table
from resemote_edge.benchmarks.suite.file import SUITE_SCHEMA, AccuracyOptions, Exclude, Suite
from resemote_edge.benchmarks.suite.in_memory import run_in_memory
from resemote_edge.cli.output import parse_batches
from resemote_edge.errors import ArtifactError, DatasetError, DeviceUnavailableError, InputError, ResEmoteEdgeError
from resemote_edge.experiments.tables.documents import regenerate
from resemote_edge.measuring.results import read_report
from resemote_edge.measuring.samples import read_samples
from resemote_edge.measuring.scenarios import ScenarioSettings
from resemote_edge.runtimes.registry import RUNTIMES, get_runtime

SETTINGS = ScenarioSettings(warmup_runs=2, warmup_seconds=0.0, min_runs=10, min_seconds=0.0, window_seconds=0.05)


def suite(**fields):
    chosen = {"settings": SETTINGS, "threads": (1,), "batches": (1,)} | fields
    return Suite(schema=SUITE_SCHEMA, name="test", description="A test.", **chosen)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="module")
def report(artifacts, folder):
    made = (artifacts("cpu-onnxruntime-fp32"), artifacts("rtx-tensorrt-fp16"))
    return run_in_memory(suite(batches=(1, 3)), made, output=folder)


def test_every_pair_has_a_row_per_batch(report):
    measured = [(row.artifact, row.runtime, row.batch) for row in report.rows if row.target == "onnx"]
    # The C library may or may not have been built by `make native`.
    runtimes = [name for name in ("openvino", "onnxruntime", "native") if get_runtime(name).probe().available]
    assert runtimes[:2] == ["openvino", "onnxruntime"]
    assert measured == [("cpu-onnxruntime-fp32", runtime, batch) for runtime in runtimes for batch in (1, 3)]


def test_a_target_may_be_measured_in_one_runtime_alone(artifacts):
    made = (artifacts("cpu-onnxruntime-fp32"), artifacts("cpu-openvino-fp32"))
    chosen = {"onnx": "onnxruntime", "openvino": "openvino"}
    excludes = [
        Exclude(target=target, runtime=tuple(name for name in RUNTIMES if name != home))
        for target, home in chosen.items()
    ]
    report = run_in_memory(suite(excludes=tuple(excludes)), made)
    assert [(row.target, row.runtime) for row in report.rows] == list(chosen.items())
    assert report.unmeasured == ()


def test_what_cannot_run_here_is_listed_with_the_reason(report):
    if get_runtime("tensorrt").probe().available:
        pytest.skip("this machine has a GPU")
    (skipped,) = [row for row in report.unmeasured if row.runtime != "native"]  # which `make native` builds
    assert (skipped.artifact, skipped.runtime, skipped.state) == ("rtx-tensorrt-fp16", "tensorrt", "skipped")
    assert not report.failed
    assert skipped.reason


def test_figures_hold_together(report, artifacts):
    model = next(e for e in artifacts("cpu-onnxruntime-fp32").passport.files if e.path == "model.onnx")
    for row in report.rows:
        speed = row.speed
        assert 0 < speed.model.min_ms <= speed.model.p50_ms <= speed.model.max_ms
        assert speed.model.p99_ms is None  # ten runs cannot show it
        assert set(speed.stages) == {"decode", "preprocess", "inference", "postprocess"}
        parts = sum(speed.stages[name].mean_ms for name in ("preprocess", "inference", "postprocess"))
        assert parts == pytest.approx(speed.crop_to_decision.mean_ms)
        assert speed.throughput_samples_per_s == pytest.approx(row.batch / speed.model.mean_ms * 1e3)
        assert speed.model.runs >= 10
        assert (speed.warm_up.runs, speed.warm_up.settled) == (2, None)
        assert speed.file_sha256 == model.sha256
        assert row.model_size_bytes == model.size_bytes
        assert 20e6 < speed.peak_memory_bytes < 4e9
        assert 0 < speed.harness_p50_us < speed.model.p50_ms * 1e3
        assert len(speed.cores) == 1
        assert row.accuracy is None


def test_every_sample_is_kept(report, folder):
    for row in report.rows:
        samples = read_samples(folder / row.samples)
        assert len(samples["model_ns"]) == row.speed.model.runs
        assert np.median(samples["model_ns"]) / 1e6 == pytest.approx(row.speed.model.p50_ms)
        assert samples["postprocess_ns"].dtype == np.int64


def test_every_scenario_says_its_own(artifacts):
    settings = ScenarioSettings(
        warmup_runs=2, warmup_seconds=0.0, min_runs=12, min_seconds=0.1, fps=60.0, window_seconds=0.05
    )
    names = ("single-stream", "multi-stream", "offline", "camera", "sustained")
    wanted = suite(settings=settings, runtimes=("onnxruntime",), scenarios=names, batches=(2,))
    report = run_in_memory(wanted, [artifacts("cpu-onnxruntime-fp32")])
    found = {row.scenario: row.speed.outcome for row in report.rows}
    assert tuple(found) == names
    assert found["single-stream"].decisions_per_s > 0
    assert found["offline"].crops >= 24
    assert (found["camera"].frames, found["camera"].faces) == (12, 2)
    assert found["multi-stream"].deadline_ms == pytest.approx(1000 / 60, rel=1e-4)
    assert sum(window.runs for window in found["sustained"].windows) >= 12
    text = markdown_report(report)
    assert all(f"## {name}" in text for name in names[1:])


def test_several_sessions_side_by_side(artifacts):
    made = [artifacts("cpu-onnxruntime-fp32")]
    wanted = suite(runtimes=("onnxruntime",), scenarios=("offline",), threads=(2,), streams=(2,))
    (row,) = run_in_memory(wanted, made).rows
    assert (row.streams, row.speed.outcome.streams) == (2, 2)
    assert row.speed.model.runs >= 20  # ten each
    with pytest.raises(InputError, match="streams above 1 need the scenario offline"):
        run_in_memory(msgspec.structs.replace(wanted, scenarios=("camera",)), made)


def test_a_slower_device_drops_frames(artifacts):
    settings = ScenarioSettings(warmup_runs=1, warmup_seconds=0.0, min_runs=30, min_seconds=0.0, fps=30.0)
    wanted = suite(settings=settings, runtimes=("onnxruntime",), scenarios=("camera",), slow_to_ms=50.0)
    report = run_in_memory(wanted, [artifacts("cpu-onnxruntime-fp32")])
    (row,) = report.rows
    assert row.slow_to_ms == 50.0
    assert row.speed.stages["inference"].min_ms >= 50.0
    # Each frame takes 50 ms and arrives every 33 ms, so at least a third is dropped, and more on a busy machine.
    assert row.speed.outcome.dropped_frames >= 9
    assert row.speed.outcome.age.min_ms >= 50.0
    assert "slowed to 50 ms" in markdown_table(report)


def test_the_report_survives_the_round_trip_and_reads_well(report, tmp_path):
    written = write_report(report, tmp_path)
    assert read_report(written["json"]).to_json() == report.to_json()
    text = written["markdown"].read_text()
    assert text.count(NOT_MEASURED) >= len(report.rows)
    assert TOO_FEW in text
    assert "The harness itself" in text
    assert "latency.png" in text
    assert written["picture"].read_bytes().startswith(b"\x89PNG")
    assert len(markdown_table(report).splitlines()) == 2 + len(report.rows)
    assert "latency.png" not in markdown_report(report)


def test_accuracy_stands_in_the_row_of_the_same_file(artifacts, tiny_fer2013):
    made, seen = artifacts("cpu-openvino-fp32"), []
    wanted = suite(runtimes=("openvino",), accuracy=AccuracyOptions(reference=str(made.path)))
    report = run_in_memory(wanted, [made], data=tiny_fer2013, progress=seen.append)
    (row,) = report.rows
    assert [(far.done, far.total) for far in seen] == [(0, 2), (1, 2), (2, 2)]
    assert row.accuracy.paired.flip_rate <= 1 / 14  # the same network
    assert report.accuracy_data == "fer2013 test"
    assert report.suite is None
    assert row.accuracy.samples == 14
    assert row.accuracy.dataset == "fer2013 test"
    assert "%" in markdown_table(report).splitlines()[-1]
    # The weights of the IR are a separate file, and their size counts.
    sizes = {e.path: e.size_bytes for e in artifacts("cpu-openvino-fp32").passport.files}
    assert row.model_size_bytes == sizes["model.xml"] + sizes["model.bin"]


def test_a_runtime_named_must_work(artifacts):
    if get_runtime("tensorrt").probe().available:
        pytest.skip("this machine has a GPU")
    made = [artifacts("rtx-tensorrt-fp16")]
    with pytest.raises(DeviceUnavailableError):
        run_in_memory(suite(runtimes=("tensorrt",)), made)
    with pytest.raises(DeviceUnavailableError, match="nothing to measure"):
        run_in_memory(suite(), made)
    # The ONNX that the engine was built from is run where a runtime for it is named.
    (row,) = run_in_memory(suite(runtimes=("onnxruntime",)), made).rows
    assert (row.artifact, row.runtime) == ("rtx-tensorrt-fp16", "onnxruntime")


def test_a_runtime_that_cannot_load_the_artifact(artifacts):
    with pytest.raises(InputError, match="it runs in openvino"):
        run_in_memory(suite(runtimes=("onnxruntime",)), [artifacts("cpu-openvino-fp32")])


def test_a_batch_beyond_the_profile(artifacts):
    with pytest.raises(InputError, match="largest batch is 16"):
        run_in_memory(suite(runtimes=("onnxruntime",), batches=(17,)), [artifacts("rtx-tensorrt-fp16")])


def test_a_dataset_or_reference_that_is_not_there_is_said_at_once(artifacts, tiny_fer2013, tmp_path):
    made = [artifacts("cpu-onnxruntime-fp32")]
    with pytest.raises(DatasetError, match="no such dataset"):
        run_in_memory(suite(), made, data=tmp_path / "gone")
    reference = AccuracyOptions(reference=str(tmp_path / "nowhere"))
    with pytest.raises(ArtifactError, match="nowhere: an artifact is a folder"):
        run_in_memory(suite(accuracy=reference), made, data=tiny_fer2013)


def test_what_fails_is_a_row_with_the_reason_and_the_rest_goes_on(artifacts, tmp_path):
    vanishing = Artifact.load(shutil.copytree(artifacts("cpu-onnxruntime-fp32").path, tmp_path / "vanishing"))

    def vanish(far):
        shutil.rmtree(tmp_path / "vanishing", ignore_errors=True)

    wanted = suite(runtimes=("openvino",))
    report = run_in_memory(wanted, [vanishing, artifacts("cpu-openvino-fp32")], progress=vanish)
    assert [row.target for row in report.rows] == ["openvino"]
    (failed,) = report.unmeasured
    assert (failed.state, failed.scenario, failed.batch) == ("failed", "single-stream", 1)
    assert "vanishing" in failed.reason
    assert report.failed
    with pytest.raises(ResEmoteEdgeError, match=r"every measurement failed: .*vanishing"):
        shutil.copytree(artifacts("cpu-onnxruntime-fp32").path, tmp_path / "vanishing")
        run_in_memory(wanted, [vanishing], progress=vanish)


def test_two_artifacts_of_one_name_are_refused(artifacts):
    with pytest.raises(InputError, match="two artifacts are called cpu-openvino-fp32"):
        run_in_memory(suite(), [artifacts("cpu-openvino-fp32")] * 2)


@pytest.mark.parametrize(("text", "batches"), [("1", (1,)), ("1, 8,32, 8", (1, 8, 32))])
def test_batches(text, batches):
    assert parse_batches(text) == batches


@pytest.mark.parametrize("text", ["", "0", "1,,2", "-1", "x", "1.5"])
def test_bad_batches(text):
    with pytest.raises(InputError, match="whole numbers"):
        parse_batches(text)


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
