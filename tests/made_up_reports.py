"""Reports made up for tests, where every figure is chosen, and names are as bad as names get."""

import numpy as np

from resemote_edge.evaluation.accuracy import AccuracyReport
from resemote_edge.machine.energy import NotMeasured
from resemote_edge.measuring.latency import summarize_latency
from resemote_edge.measuring.results import BenchReport, BenchRow, SpeedResult, SuiteState, Unmeasured, Validity
from resemote_edge.measuring.scenarios import Camera, MultiStream, Offline, ScenarioSettings, SingleStream, Sustained
from resemote_edge.measuring.scenarios.sustained import Window
from resemote_edge.measuring.timing import WarmUp

SCRIPT = "<script>document.title = 'taken over'</script>"
FORMULA = "$x$ & \"><img src='http://example.com/x.png' onerror=alert(1)>"
SCENARIOS = ("single-stream", "multi-stream", "offline", "camera", "sustained")


def nanoseconds(middle_ms, runs=500):
    """int64 (runs,): around a median, always the same."""
    spread = np.random.default_rng(round(middle_ms * 1000)).lognormal(0.0, 0.2, runs)
    return (middle_ms * 1e6 * spread).astype(np.int64)


def outcome(scenario, age, throughput):
    """What a scenario says, of frames decided at this age."""
    windows = tuple(
        Window(start_s=at * 5.0, runs=50, p50_ms=2.0 + at / 10, max_ms=4.0 + at, resident_bytes=(100 + at) << 20)
        for at in range(4)
    )
    return {
        "single-stream": lambda: SingleStream(decisions_per_s=throughput * 0.9),
        "multi-stream": lambda: MultiStream(
            fps=30.0, faces=1, deadline_ms=33.3, frames=500, late_frames=25, late_share=0.05, age=age
        ),
        "offline": lambda: Offline(
            streams=1, crops=500, seconds=1.5, decisions_per_s=throughput * 0.9, model_samples_per_s=throughput
        ),
        "camera": lambda: Camera(
            fps=30.0, faces=1, queue_frames=1, frames=600, dropped_frames=100, dropped_share=1 / 6, age=age,
            age_growth_ms=0.4,
        ),
        "sustained": lambda: Sustained(
            seconds=20.0, decisions_per_s=throughput, windows=windows, slowdown=1.1, memory_growth_bytes=3 << 20
        ),
    }[scenario]()  # fmt: skip


def accuracy(share):
    """On a split of 1000 images."""
    right = round(share * 1000)
    return AccuracyReport(
        dataset="made up test", dataset_sha256="0" * 64, samples=1000, accuracy=share,
        accuracy_interval_95=(share - 0.03, share + 0.03), recall={"no": 0.5, "yes": share}, labels=("no", "yes"),
        confusion=((right, 1000 - right), (0, 0)),
    )  # fmt: skip


def row(artifact, runtime, scenario, batch, middle_ms, *, runs=500, share=None, **other):
    """A row whose calls take about so long."""
    model = summarize_latency(nanoseconds(middle_ms, runs))
    whole = summarize_latency(nanoseconds(middle_ms * 1.1, runs))
    throughput = batch / model.mean_ms * 1e3
    speed = SpeedResult(
        device="cpu", runtime_version="1.0", file="model.onnx", file_sha256="1" * 64, cores=(0, 1),
        warm_up=WarmUp(runs=10, seconds=0.1, settled=True), load_time_ms=80.0, first_inference_ms=9.0, model=model,
        crop_to_decision=whole, stages={"inference": model}, throughput_samples_per_s=throughput, harness_p50_us=5.0,
        peak_memory_bytes=150 << 20, outcome=outcome(scenario, whole, throughput), samples_sha256=None,
        energy=NotMeasured("no sensor was read"), state_before=None, state_after=None, throttled=(), did_throttle=None,
    )  # fmt: skip
    return BenchRow(
        artifact=artifact, passport_sha256="2" * 64, target="onnx", precision="fp32", width=16, runtime=runtime,
        scenario=scenario, batch=batch, threads=2, streams=1, slow_to_ms=0.0, model_size_bytes=9_000_000, speed=speed,
        accuracy=None if share is None else accuracy(share), **other,
    )  # fmt: skip


def made_up_report(**changes):
    """Three artifacts, five scenarios, two batches; one without accuracy, one with too few samples for a p99."""
    kinds = ((SCRIPT, "onnxruntime", 2.0, 0.71), (SCRIPT, "openvino", 1.5, 0.71), (FORMULA, "openvino", 9.0, None))
    rows = [
        row(artifact, runtime, scenario, batch, middle_ms * batch**0.8, share=share)
        for artifact, runtime, middle_ms, share in kinds
        for scenario in SCENARIOS
        for batch in (1, 4)
    ]
    rows.append(row("few", "openvino", "single-stream", 1, 4.0, runs=20, share=0.65))
    report = {
        "created_utc": "2026-02-03T04:05:06+00:00",
        "environment": {
            "cpu_model": f"A {SCRIPT} CPU", "cores_allowed": 2, "cpu_features": ["avx2"], "os": "Linux", "kernel": "6",
            "gpus": [], "packages": {"numpy": "2"}, "git_commit": None, "load_average_1m": 0.1,
        },
        "inputs": "drawn faces",
        "accuracy_data": "made up test",
        "settings": ScenarioSettings(),
        "rows": tuple(rows),
        "unmeasured": (
            Unmeasured(artifact="few", runtime="tensorrt", reason=f"no GPU {SCRIPT}"),
            Unmeasured(artifact="few", runtime="openvino", state="failed", reason="crash", scenario="camera", batch=4),
        ),
        "validity": (
            Validity(
                artifact="few", passport_sha256="2" * 64, runtime="openvino", runtime_version="1.0", batch=1, threads=2,
                cores=(0, 1), timer="benchmark_app", settings={}, ours_p50_ms=(2.0, 2.1, 2.0),
                theirs_p50_ms=(2.0, 2.0, 2.0), ratio=1.0, ratio_range=(1.0, 1.05), within_5_percent=True,
                mean_ratio=1.0,
            ),
        ),
        "suite": SuiteState(
            name="made-up", description=f"All {SCRIPT}.", sha256="3" * 64, planned=40, missing=9, notes=("A note.",)
        ),
    }  # fmt: skip
    return BenchReport(**{**report, **changes})
