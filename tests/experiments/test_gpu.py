"""Measuring a GPU: rehearsed on the CPU, where whatever needs a GPU is listed with the reason."""

import json
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest
import torch

from resemote_edge.cli import run as run_command
from resemote_edge.errors import InputError, ResEmoteEdgeError
from resemote_edge.experiments.gpu import latency as gpu_latency
from resemote_edge.experiments.gpu.command import gpu
from resemote_edge.experiments.gpu.latency import GpuOptions, GpuSubject, floor_of, measure_gpu
from resemote_edge.experiments.gpu.probe import DEVICE_PRECISIONS, DeviceProbe, kernel_times, probe_device
from resemote_edge.experiments.gpu.results import Floor, GpuReport, gpu_table, read_gpu_report
from resemote_edge.experiments.tables.documents import regenerate
from resemote_edge.measuring.probes import Peak
from resemote_edge.runtimes.cpu_features import why_no_bf16

OPTIONS = GpuOptions(
    device="cpu",
    batches=(2, 1),
    round_seconds=0.01,
    warmup_seconds=0.0,
    profile=False,
    probe_side=128,
    probe_bytes=2**20,
)

PROBE = DeviceProbe(
    device="cuda:0",
    name="made up",
    memory_gb_per_s=1000.0,
    to_device_gb_per_s=10.0,
    cache_bytes=1000,
    side=128,
    peaks=(Peak(precision="fp32", gmac_per_s=2000.0), Peak(precision="bf16", gmac_per_s=None, note="none")),
)


@pytest.fixture(scope="module")
def subjects(artifacts):
    names = ("any-pytorch-fp32", "any-pytorch-fp16")
    return [GpuSubject(artifact=artifacts(name), network="tiny", graph="lowered") for name in names]


@pytest.fixture(scope="module")
def report(subjects) -> GpuReport:
    return measure_gpu(subjects, "random weights", OPTIONS)


def test_every_precision_is_a_row_or_has_a_reason(report):
    bf16 = ["bf16"] if why_no_bf16() is None else []
    measured = ["fp32", "fp16", *bf16]
    assert [(row.batch, row.precision) for row in report.rows] == [(b, p) for b in (1, 2) for p in measured]
    reasons = {one.what: one.reason for one in report.unmeasured}
    assert "tf32 is a precision of NVIDIA GPUs" in reasons["tiny · lowered · tf32"]
    for precision in measured:
        assert "needs an NVIDIA GPU, not cpu" in reasons[f"tiny · lowered · {precision} · CUDA graph"]


def test_a_row_says_how_long_and_how_exact(report, subjects):
    for row in report.rows:
        assert row.latency.runs >= 10
        assert len(row.rounds_p50_ms) == OPTIONS.rounds
        assert row.latency.min_ms <= min(row.rounds_p50_ms) <= row.latency.max_ms
        assert row.file_sha256 in {subject.artifact.find(("graph",)).sha256 for subject in subjects}
    worst = {row.precision: row.max_abs_logit_diff for row in report.rows}
    assert worst["fp32"] < 1e-4 < worst["fp16"]


def test_what_there_is_no_time_for_is_listed(subjects):
    with pytest.raises(ResEmoteEdgeError, match="nothing was measured: the time was up; the time was up"):
        measure_gpu(subjects, "x", replace(OPTIONS, seconds=0.0))


def test_a_failure_of_the_device_costs_its_rows_only(subjects, monkeypatch):
    def time_calls(call, budget):
        if failing.pop():
            raise RuntimeError("CUDA error: out of memory")
        return real(call, budget)

    real, failing = gpu_latency.time_calls, [False] * 100 + [True]
    monkeypatch.setattr(gpu_latency, "time_calls", time_calls)
    found = measure_gpu(subjects, "x", OPTIONS)
    failed = [one for one in found.unmeasured if "out of memory" in one.reason]
    assert [one.what for one in failed] == ["tiny · lowered · fp32 · batch 2"]
    assert ("fp32", 1) in {(row.precision, row.batch) for row in found.rows}


@pytest.mark.parametrize("batches", [(), (0,)])
def test_batches_start_at_one(subjects, batches):
    with pytest.raises(InputError, match="batch sizes from 1 up"):
        measure_gpu(subjects, "x", replace(OPTIONS, batches=batches))


def test_floors_are_bytes_and_products_over_what_the_device_can_do(subjects):
    layers = subjects[0].artifact.passport.layers
    weights, products = sum(one.weights for one in layers), sum(one.multiply_adds for one in layers)
    floor = floor_of(subjects[0], "fp32", 8, PROBE)
    assert floor.copy_ms == pytest.approx(8 * 3 * 64 * 64 * 4 / 10e9 * 1e3)
    assert floor.memory_ms == pytest.approx(weights * 4 / 1000e9 * 1e3)
    assert floor.arithmetic_ms == pytest.approx(8 * products / 2000e9 * 1e3)
    assert floor.total_ms == pytest.approx(floor.copy_ms + max(floor.memory_ms, floor.arithmetic_ms))
    half = floor_of(subjects[0], "bf16", 8, PROBE)
    assert half.memory_ms == pytest.approx(floor.memory_ms / 2)
    assert half.arithmetic_ms is None
    assert half.total_ms == pytest.approx(half.copy_ms + half.memory_ms)


def test_weights_that_fit_into_the_cache_need_not_be_read(subjects):
    roomy = msgspec.structs.replace(PROBE, cache_bytes=2**30)
    assert floor_of(subjects[0], "fp32", 1, roomy).memory_ms == 0.0


def test_a_probe_of_the_cpu():
    found = probe_device("cpu", side=128, copied_bytes=2**20)
    assert found.memory_gb_per_s > 0
    assert [peak.precision for peak in found.peaks] == list(DEVICE_PRECISIONS)
    assert found.gmac_per_s("fp32") > 0
    assert found.gmac_per_s("tf32") is None
    assert (found.to_device_gb_per_s, found.cache_bytes, found.compute_capability) == (None, None, None)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_there_are_no_kernels():
    assert kernel_times(lambda: np.ones(1)) is None


def test_documents_take_its_tables(report, tmp_path):
    (tmp_path / "gpu.json").write_bytes(report.to_json())
    assert read_gpu_report(tmp_path / "gpu.json").rows == report.rows
    document = tmp_path / "page.md"
    for name in ("", "#percentiles", "#device"):
        document.write_text(f"<!-- table: gpu.json{name} -->\nold\n<!-- end of table -->\n")
        text = regenerate(document)
        assert gpu_table(report, name.removeprefix("#")) in text
        assert "old" not in text
    document.write_text("<!-- table: gpu.json#other -->\n<!-- end of table -->\n")
    with pytest.raises(InputError, match="no table 'other'; write #percentiles, #device"):
        regenerate(document)
    (tmp_path / "gpu.json").write_bytes(msgspec.structs.replace(report, schema=99).to_json())
    with pytest.raises(InputError, match="schema 99"):
        read_gpu_report(tmp_path / "gpu.json")


def test_the_table_of_medians_sets_graphs_side_by_side(report):
    row = report.rows[0]
    latency = {False: 1.25, True: 0.5}
    rows = tuple(
        msgspec.structs.replace(
            row,
            graph=graph,
            cuda_graph=recorded,
            latency=msgspec.structs.replace(row.latency, p50_ms=latency[recorded]),
            floor=Floor(copy_ms=0.01, memory_ms=0.02, arithmetic_ms=0.005),
            max_abs_logit_diff=2e-6,
        )
        for graph in ("compact", "lowered")
        for recorded in (False, True)
    )
    table = gpu_table(msgspec.structs.replace(report, rows=rows))
    assert "| tiny | 1 | fp32 | - | 1.250 / 0.500 | 1.250 / 0.500 | - | 0.030 | 2,000 | 2.0e-06 |" in table


def run(*words):
    try:
        run_command(gpu, "python -m resemote_edge.experiments gpu", [str(word) for word in words])
    except SystemExit as ended:
        return ended.code
    return 0


def test_one_command_exports_and_measures(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("resemote_edge.models.resemotenet.WIDTHS", {"tiny": 4})
    shared = ("--device", "cpu", "--networks", "tiny", "--random", "--artifacts", tmp_path / "artifacts")
    quick = ("--batches", "1", "--round-seconds", "0.01", "--probe-side", "128")
    assert run(*shared, "--export-only") == 0
    made = {path.name for path in (tmp_path / "artifacts").iterdir() if path.is_dir()}
    assert made == {f"tiny-{graph}-{p}" for graph in ("reference", "compact", "lowered") for p in ("fp32", "fp16")}
    assert run(*shared, *quick, "-o", tmp_path / "out") == 0
    found = json.loads((tmp_path / "out" / "gpu.json").read_bytes())
    assert found["kind"] == "gpu"
    assert found["weights"] == "random weights"
    assert {row["graph"] for row in found["rows"]} == {"reference", "compact", "lowered"}
    assert "| network | batch | precision |" in capsys.readouterr().out
    assert run(*shared, *quick, "-o", tmp_path / "out") == 1
    assert "pass --force" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--export-only",), "none was named; pass --artifacts"),
        (("--device", "cpu"), "gpu.json into; pass -o"),
        (("-o", "x", "--processes", "0"), "0 is not in the range"),
        (("-o", "x", "--batches", "none"), "batch sizes are whole numbers"),
        (("-o", "x", "--networks", "xxl"), "xxl"),
        (("-o", "x", "--networks", "xxl", "--random"), "unknown network 'xxl'"),
    ],
)
def test_bad_arguments_are_refused(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(*words) != 0
    assert said in capsys.readouterr().err
    assert not Path("x").exists()


def test_a_gpu_that_is_not_there_is_named(subjects):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(ResEmoteEdgeError, match="cuda:0"):
        measure_gpu(subjects, "x", GpuOptions(device="cuda:0", batches=(1,)))
