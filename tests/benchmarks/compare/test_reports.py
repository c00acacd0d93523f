"""Two reports: which may be compared, what is compared, and what comes out."""

import json

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner

from resemote_edge.benchmarks.compare.reports import compare_reports
from resemote_edge.benchmarks.compare.text import markdown_report_comparison
from resemote_edge.benchmarks.report.files import write_report
from resemote_edge.benchmarks.suite.file import SUITE_SCHEMA, Suite
from resemote_edge.benchmarks.suite.in_memory import run_in_memory
from resemote_edge.cli.bench_compare import compare as command
from resemote_edge.errors import InputError
from resemote_edge.evaluation.accuracy import AccuracyReport
from resemote_edge.machine.energy import NotMeasured
from resemote_edge.measuring.comparison.results import ReportComparison
from resemote_edge.measuring.latency import summarize_latency
from resemote_edge.measuring.results import BenchReport, BenchRow, SpeedResult, Unmeasured
from resemote_edge.measuring.samples import write_samples
from resemote_edge.measuring.scenarios import ScenarioSettings
from resemote_edge.measuring.timing import WarmUp

ENVIRONMENT = {
    "cpu_model": "A CPU", "cpu_features": ["avx2"], "cores_allowed": 2, "memory_total_bytes": 8 << 30,
    "memory_limit_bytes": None, "os": "Debian 12", "kernel": "6.1", "python": "3.11.2",
    "packages": {"numpy": "2.0", "openvino": "2025.1"}, "gpus": ["A GPU, 550.1, 8.7"], "jetpack": None, "board": None,
    "governor": "performance", "load_average_1m": 0.1, "git_commit": "abc",
    "topology": {"logical_cpus": 2, "sockets": 1, "caches": [{"level": 1}]}, "cpu_quota_cores": None,
    "power_mode": None, "tenancy": {"processes": 100},
}  # fmt: skip

STAGES = ("preprocess_ns", "inference_ns", "postprocess_ns")


def samples(*, factor=1.0, runs=600, tail=1.0, seed=0):
    """Of one row: 2 ms a call, times a factor; the slowest calls times another."""
    rng = np.random.default_rng(seed)
    made = {}
    for name, ms in (("model_ns", 2.0), ("preprocess_ns", 0.3), ("inference_ns", 2.0), ("postprocess_ns", 0.1)):
        values = ms * 1e6 * factor * rng.normal(1.0, 0.02, runs)
        values[rng.random(runs) < 0.05] *= 1.5 * tail
        made[name] = values.astype(np.int64)
    return made


def accuracy(right=800, dataset_sha256="d" * 64):
    share = right / 1000
    return AccuracyReport(
        dataset="fer2013 test", dataset_sha256=dataset_sha256, samples=1000, accuracy=share,
        accuracy_interval_95=(share - 0.025, share + 0.025), recall={}, labels=(), confusion=(),
    )  # fmt: skip


def row(folder, *, keep=True, factor=1.0, tail=1.0, runs=600, seed=0, speed=(), **changes):
    """A row whose samples are kept in the folder, unless they are not."""
    facts = {"artifact": "tiny", "runtime": "openvino", "batch": 1} | changes
    taken = samples(factor=factor, tail=tail, runs=runs, seed=seed)
    name = f"samples/{facts['artifact']}-{facts['runtime']}-b{facts['batch']}.npz" if keep else None
    sha256 = None if name is None else write_samples(folder / name, taken)
    measured = {
        "device": "cpu", "runtime_version": "2025.1", "file": "model.xml", "file_sha256": "f" * 64, "cores": (0, 1),
        "warm_up": WarmUp(runs=10, seconds=1.0, settled=True), "load_time_ms": 1.0, "first_inference_ms": 1.0,
        "model": summarize_latency(taken["model_ns"]),
        "crop_to_decision": summarize_latency(sum(taken[stage] for stage in STAGES)),
        "throughput_samples_per_s": 500.0, "peak_memory_bytes": 100 << 20, "samples_sha256": sha256,
        "stages": {}, "harness_p50_us": None, "outcome": None, "energy": NotMeasured("no sensor was read"),
        "state_before": None, "state_after": None, "throttled": (), "did_throttle": None,
    } | dict(speed)  # fmt: skip
    fixed = {
        "passport_sha256": "", "target": "openvino", "precision": "fp32", "width": 4, "scenario": "single-stream",
        "threads": 2, "streams": 1, "slow_to_ms": 0.0, "model_size_bytes": 1_000_000,
    }  # fmt: skip
    return BenchRow(**fixed | facts, speed=SpeedResult(**measured), samples=name)


@pytest.fixture
def write(tmp_path):
    """Write a report of rows given as changes to `row`; returns its folder."""

    def made(name, *rows, environment=(), **changes):
        folder = tmp_path / name
        report = {
            "created_utc": "2026-01-01T00:00:00+00:00", "inputs": "drawn faces", "accuracy_data": None,
            "settings": ScenarioSettings(), "environment": ENVIRONMENT | dict(environment),
            "rows": tuple(row(folder, **one) for one in rows or ({},)),
        }  # fmt: skip
        folder.mkdir(exist_ok=True)
        (folder / "report.json").write_bytes(BenchReport(**report | changes).to_json())
        return folder

    return made


def only(comparison):
    (pair,) = comparison.pairs
    return pair


def time_of(pair, quantity="model", percentile="p50"):
    (found,) = [time for time in pair.times if (time.quantity, time.percentile) == (quantity, percentile)]
    return found


@pytest.mark.parametrize("keep", [True, False])
def test_a_report_shows_no_difference_from_itself(write, keep):
    folder = write("a", {"keep": keep})
    found = compare_reports(folder, folder / "report.json")
    pair = only(found)
    assert pair.verdict == "no difference shown"
    assert not found.slower
    assert {(time.quantity, time.percentile) for time in pair.times} == {
        (quantity, percentile) for quantity in ("model", "crop to decision") for percentile in ("p50", "p99")
    }
    for time in pair.times:
        assert time.ratio == 1.0
        assert time.interval_95[0] < 1.0 < time.interval_95[1]
    assert time_of(pair).counting_difference_ruled_out
    assert (found.forced, found.software, found.only_in_a, found.only_in_b) == ((), (), (), ())


@pytest.mark.parametrize("keep", [True, False], ids=["samples", "intervals"])
@pytest.mark.parametrize(("factor", "verdict"), [(1.2, "slower"), (1 / 1.2, "faster"), (1.03, "no difference shown")])
def test_a_planted_difference_is_found_when_it_counts(write, keep, factor, verdict):
    a, b = write("a", {"keep": keep}), write("b", {"keep": keep, "factor": factor, "seed": 1})
    found = compare_reports(a, b)
    pair, time = only(found), time_of(only(found))
    assert pair.verdict == time.verdict == verdict
    assert found.slower is (verdict == "slower")
    assert time.ratio == pytest.approx(factor, rel=0.01)
    assert time.interval_95[0] < factor < time.interval_95[1]
    assert time.ratio == pytest.approx(time.b_ms / time.a_ms)
    assert time.method == ("samples" if keep else "intervals")


def test_a_smaller_margin_shows_a_smaller_difference(write):
    a, b = write("a"), write("b", {"factor": 1.03, "seed": 1})
    assert only(compare_reports(a, b, margin=0.01)).verdict == "slower"


def test_a_worse_tail_is_said_and_decides_nothing(write):
    found = compare_reports(write("a"), write("b", {"tail": 2.0}))
    assert time_of(only(found), percentile="p99").verdict == "slower"
    assert time_of(only(found)).verdict == "no difference shown"
    assert not found.slower


@pytest.mark.parametrize("removed", ["a", "b"])
def test_where_one_of_two_samples_is_gone_intervals_serve(write, removed):
    folders = {name: write(name) for name in "ab"}
    (path,) = (folders[removed] / "samples").iterdir()
    path.unlink()
    pair = only(compare_reports(*folders.values()))
    assert {time.method for time in pair.times} == {"intervals"}
    (note,) = pair.notes
    assert note.startswith(f"{removed.upper()}: {path} is not there")


def test_samples_of_another_run_are_refused(write):
    folder = write("a")
    (path,) = (folder / "samples").iterdir()
    write_samples(path, samples(seed=9))
    with pytest.raises(InputError, match="sha256 differs"):
        compare_reports(folder, folder)


def test_samples_outside_the_report_are_refused(write):
    a = write("a")
    outside = json.loads((a / "report.json").read_text())
    outside["rows"][0]["samples"] = "../a.npz"
    (a / "report.json").write_text(json.dumps(outside))
    with pytest.raises(InputError, match="leads out of"):
        compare_reports(a, a)


def test_samples_that_lack_a_stage_are_refused(write):
    folder = write("a")
    (path,) = (folder / "samples").iterdir()
    taken = samples()
    del taken["inference_ns"]
    sha256 = write_samples(path, taken)
    report = json.loads((folder / "report.json").read_text())
    report["rows"][0]["speed"]["samples_sha256"] = sha256
    (folder / "report.json").write_text(json.dumps(report))
    with pytest.raises(InputError, match="holds no inference_ns; measure again"):
        compare_reports(folder, folder)


MACHINES = [
    ({"cpu_model": "B CPU"}, "processor: A CPU in A, B CPU in B"),
    ({"cpu_features": ["avx2", "avx_vnni"]}, "processor features: avx2 in A, avx2, avx_vnni in B"),
    ({"cores_allowed": 4}, "cores: 2 in A, 4 in B"),
    ({"memory_total_bytes": 16 << 30}, "memory: 8.00 GiB in A, 16.00 GiB in B"),
    ({"memory_limit_bytes": 1 << 30}, "memory limit: none in A, 1073741824 in B"),
    ({"governor": "powersave"}, "governor: performance in A, powersave in B"),
    ({"board": "Orin"}, "board: none in A, Orin in B"),
    ({"gpus": ["B GPU, 550.1, 9.0"]}, "GPUs: A GPU, 8.7 in A, B GPU, 9.0 in B"),
    ({"gpus": []}, "GPUs: A GPU, 8.7 in A, none in B"),
    ({"cpu_quota_cores": 1.5}, "cores' worth of time: none in A, 1.5 in B"),
    ({"power_mode": {"id": 1, "name": "15W"}}, "power mode: none in A, id 1, name 15W in B"),
    ({"topology": {"logical_cpus": 4}}, "plan of the processor: logical cpus 2, sockets 1, caches level 1 in A"),
]

MANNERS = [
    ({"inputs": "my faces"}, {}, "crops: drawn faces in A, my faces in B"),
    ({"settings": ScenarioSettings(fps=60.0)}, {}, "fps: 30.0 in A, 60.0 in B"),
    ({"settings": None}, {}, "scenario settings: "),
    ({}, {"slow_to_ms": 5.0}, "delay of every inference, ms (openvino, single-stream, batch 1): 0.0 in A, 5.0 in B"),
    ({}, {"speed": {"device": "gpu"}}, "device (openvino, single-stream, batch 1): cpu in A, gpu in B"),
    ({}, {"speed": {"cores": (0,)}}, "cores the process was pinned to (openvino, single-stream, batch 1): 2 in A, 1"),
]

REFUSED = [({"environment": environment}, {}, says) for environment, says in MACHINES] + MANNERS


@pytest.mark.parametrize(("of_report", "of_row", "says"), REFUSED, ids=[says.split(":")[0] for *_, says in REFUSED])
def test_another_machine_or_manner_is_refused_by_name_unless_forced(write, of_report, of_row, says):
    a, b = write("a"), write("b", of_row, **of_report)
    with pytest.raises(InputError, match="cannot be compared: ") as caught:
        compare_reports(a, b)
    assert says in str(caught.value)
    assert "--force" in str(caught.value)
    found = compare_reports(a, b, force=True)
    assert any(says in str(difference) for difference in found.forced)
    assert only(found).times
    assert says in markdown_report_comparison(found)


def test_every_difference_is_named_at_once(write):
    other = write("b", {"slow_to_ms": 5.0}, environment={"cpu_model": "B CPU", "governor": None}, inputs="my faces")
    with pytest.raises(InputError) as caught:
        compare_reports(write("a"), other)
    assert all(word in str(caught.value) for word in ("processor:", "governor:", "crops:", "delay of every inference"))


def test_other_data_are_refused(write):
    a, b = (write(name, {"accuracy": accuracy(dataset_sha256=name * 64)}) for name in "ab")
    with pytest.raises(InputError, match="sha256 of the dataset: aaaa"):
        compare_reports(a, b)


def test_software_may_differ_and_is_listed(write):
    changes = {
        "os": "Debian 13", "kernel": "6.12", "packages": {"numpy": "2.1", "openvino": "2025.1", "torch": "2.6"},
        "gpus": ["A GPU, 560.9, 8.7"], "newer_field": "x", "git_commit": "def",
        # State that changes from moment to moment, and memory that cannot be told from what the kernel reserves.
        "load_average_1m": 9.0, "tenancy": {"processes": 7}, "memory_total_bytes": (8 << 30) - (10 << 20),
    }  # fmt: skip
    found = compare_reports(write("a"), write("b", environment=changes))
    assert sorted(map(str, found.software)) == [
        "GPU driver: 550.1 in A, 560.9 in B",
        "git commit: abc in A, def in B",
        "kernel: 6.1 in A, 6.12 in B",
        "newer field: not recorded in A, x in B",
        "numpy: 2.0 in A, 2.1 in B",
        "os: Debian 12 in A, Debian 13 in B",
        "torch: none in A, 2.6 in B",
    ]
    assert found.forced == ()
    assert "- torch: none in A, 2.6 in B" in markdown_report_comparison(found)


def test_what_an_older_report_did_not_record_hinders_nothing(write):
    old = {name: value for name, value in ENVIRONMENT.items() if name not in ("topology", "cpu_quota_cores")}
    b = write("b")
    report = json.loads((b / "report.json").read_text())
    (b / "report.json").write_text(json.dumps(report | {"environment": old}))
    found = compare_reports(write("a"), b)
    assert [(one.what, one.b) for one in found.software] == [
        ("topology", "not recorded"),
        ("cpu quota cores", "not recorded"),
    ]


def test_rows_of_one_report_only_are_listed_with_the_reason(write):
    failed = Unmeasured(artifact="tiny", runtime="openvino", state="failed", reason="it crashed", batch=8)
    a = write("a", {}, {"batch": 8}, {"artifact": "other"})
    b = write("b", {}, {"artifact": "third"}, unmeasured=(failed,))
    found = compare_reports(a, b)
    assert len(found.pairs) == 1
    assert found.only_in_a == (
        "tiny in openvino, single-stream, batch 8, 2 threads (not measured in the other: it crashed)",
        "other in openvino, single-stream, batch 1, 2 threads",
    )
    assert found.only_in_b == ("third in openvino, single-stream, batch 1, 2 threads",)
    text = markdown_report_comparison(found)
    assert "Only in A:" in text
    assert "Only in B:" in text


def test_reports_of_one_artifact_each_need_no_common_name(write):
    pair = only(compare_reports(write("a", {"artifact": "before"}), write("b", {"artifact": "after"})))
    assert (pair.a_artifact, pair.b_artifact) == ("before", "after")
    assert str(pair) == "before → after · openvino · single-stream · batch 1 · 2 threads"


def test_nothing_in_common(write):
    with pytest.raises(InputError, match=r"no row of .* the one holds tiny in openvino.*, and the other tiny in onnx"):
        compare_reports(write("a"), write("b", {"runtime": "onnxruntime"}))


def test_two_rows_that_cannot_be_told_apart(write):
    with pytest.raises(InputError, match=r"two rows are tiny in openvino.* reports of their own"):
        compare_reports(write("a", {}, {"seed": 1}), write("b"))


@pytest.mark.parametrize("keep", [True, False])
def test_too_few_calls(write, keep):
    short = write("short", {"runs": 99, "keep": keep})
    with pytest.raises(InputError, match="99 timed calls are too few, 100 are needed; run again with --min-runs 100"):
        compare_reports(short, write("long"))
    pair = only(compare_reports(write("few", {"runs": 120, "keep": keep}), write("long")))
    assert {time.percentile for time in pair.times} == {"p50"}
    assert set(pair.left_out) == {"model p99", "crop to decision p99"}
    assert "120 timed calls are too few, 368 are needed" in pair.left_out["model p99"]


def test_neither_samples_nor_intervals(write):
    bare = {"model": msgspec.structs.replace(summarize_latency(samples()["model_ns"]), interval_95_ms={})}
    with pytest.raises(InputError, match="neither samples nor an interval; run again with -o"):
        compare_reports(write("a", {"keep": False, "speed": bare}), write("b"))


def test_accuracy_size_and_memory_stand_beside(write):
    a = write("a", {"accuracy": accuracy(800)})
    b = write("b", {"accuracy": accuracy(790), "model_size_bytes": 300_000})
    pair = only(compare_reports(a, b))
    assert (pair.a_model_size_bytes, pair.b_model_size_bytes) == (1_000_000, 300_000)
    assert pair.accuracy.difference_points == pytest.approx(-1.0)
    low, high = pair.accuracy.interval_95_points
    assert (low, high) == pytest.approx((-1.0 - 2.5 * np.sqrt(2), -1.0 + 2.5 * np.sqrt(2)))
    assert "80.00 % → 79.00 %" in markdown_report_comparison(compare_reports(a, b))
    assert only(compare_reports(a, write("c"))).accuracy is None


def test_times_that_had_not_settled_are_noted(write):
    unsettled = {"warm_up": WarmUp(runs=10, seconds=1.0, settled=False)}
    assert only(compare_reports(write("a"), write("b", {"speed": unsettled}))).notes == (
        "B: times had not settled when the clock began to count",
    )


def test_a_report_of_a_real_run(artifacts, tmp_path):
    settings = ScenarioSettings(warmup_runs=2, warmup_seconds=0.0, min_runs=400, min_seconds=0.0, fps=400.0)
    suite = Suite(
        schema=SUITE_SCHEMA, name="test", description="A test.", settings=settings, runtimes=("onnxruntime",),
        scenarios=("single-stream", "camera"), threads=(1,),
    )  # fmt: skip
    write_report(run_in_memory(suite, [artifacts("cpu-onnxruntime-fp32")], output=tmp_path), tmp_path)
    found = compare_reports(tmp_path, tmp_path)
    assert [pair.scenario for pair in found.pairs] == ["single-stream", "camera"]
    assert {time.method for pair in found.pairs for time in pair.times} == {"samples"}
    assert {pair.verdict for pair in found.pairs} == {"no difference shown"}
    assert {time.ratio for pair in found.pairs for time in pair.times} == {1.0}


@pytest.mark.parametrize(("factor", "code"), [(1.2, 3), (1.0, 0), (0.8, 0)])
def test_the_exit_code_is_3_where_b_is_slower_and_nowhere_else(write, factor, code):
    a, b = write("a"), write("b", {"factor": factor})
    done = CliRunner().invoke(command, [str(a), str(b / "report.json")])
    assert done.exit_code == code
    assert done.output.startswith("# B compared with A\n")
    done = CliRunner().invoke(command, [str(a), str(b), "--json"])
    assert done.exit_code == code
    read = msgspec.json.decode(done.stdout, type=ReportComparison)
    assert read == compare_reports(a, b)
    assert read.slower is (code == 3)


def test_the_margin_of_the_command_line_counts(write):
    a, b = write("a"), write("b", {"factor": 1.2})
    assert CliRunner().invoke(command, [str(a), str(b), "--margin", "0.3"]).exit_code == 0


def test_force_on_the_command_line(write):
    a, b = write("a"), write("b", environment={"cpu_model": "B CPU"})
    assert isinstance(CliRunner().invoke(command, [str(a), str(b)]).exception, InputError)
    done = CliRunner().invoke(command, [str(a), str(b), "--force"])
    assert done.exit_code == 0
    assert "Compared in spite of these differences (--force):\n\n- processor: A CPU in A, B CPU in B" in done.output
