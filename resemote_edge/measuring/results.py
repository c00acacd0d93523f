"""Jobs and results of the benchmark: what travels between processes and what is written as JSON."""

from pathlib import Path
from typing import Any, Literal

import msgspec

from resemote_edge.artifacts.record import Record, read_record
from resemote_edge.evaluation.accuracy import AccuracyReport
from resemote_edge.machine.energy import Energy, NotMeasured
from resemote_edge.machine.state import MachineState
from resemote_edge.measuring.latency import Latency
from resemote_edge.measuring.scenarios import Outcome, ScenarioSettings
from resemote_edge.measuring.timing import WarmUp
from resemote_edge.runtimes.session import PrecisionHint

__all__ = [
    "AccuracyJob",
    "AccuracyResult",
    "Answer",
    "BenchReport",
    "BenchRow",
    "Failure",
    "SpeedJob",
    "SpeedResult",
    "SuiteState",
    "Unmeasured",
    "Validity",
    "read_report",
]

REPORT_SCHEMA = 2


class SpeedJob(Record, frozen=True, kw_only=True, tag="speed"):
    """Measure one artifact in one runtime and scenario, in a process of its own.

    Attributes:
        artifact: Folder.
        runtime: Name.
        device: Device, or ``auto``.
        scenario: Name in `SCENARIOS`.
        settings: How long and how fast.
        threads: CPU threads over all streams.
        cores: The process is pinned to.
        batch: Crops per call, or faces per frame.
        streams: Sessions side by side.
        crop_side: Rows and columns of the crops that decisions are timed from.
        precision_hint: As in `SessionOptions`.
        slow_to_ms: Every inference is delayed to take at least this long; 0 for no delay.
        samples: Where every sample is to be kept; None for nowhere.
    """

    artifact: str
    runtime: str
    device: str
    scenario: str
    settings: ScenarioSettings
    threads: int
    cores: tuple[int, ...]
    batch: int
    streams: int = 1
    crop_side: int = 48
    precision_hint: PrecisionHint | None = None
    slow_to_ms: float = 0.0
    samples: str | None = None


class AccuracyJob(Record, frozen=True, kw_only=True, tag="accuracy"):
    """Measure accuracy of one artifact and runtime, in a process of its own.

    Attributes:
        artifact: Folder.
        runtime: Name.
        device: Device, or ``auto``.
        threads: CPU threads.
        data: Dataset.
        split: Split of it.
        reference: Folder of an artifact to compare with, image by image.
        precision_hint: As in `SessionOptions`.
    """

    artifact: str
    runtime: str
    device: str
    threads: int
    data: str
    split: str
    reference: str | None = None
    precision_hint: PrecisionHint | None = None


class SpeedResult(Record, frozen=True, kw_only=True, tag="speed"):
    """What a speed job measured.

    Attributes:
        device: That the session ran on.
        runtime_version: Of the runtime's package.
        file: That ran, relative to the artifact.
        file_sha256: Of it.
        cores: The process was pinned to.
        warm_up: What came before the clock counted.
        load_time_ms: From files to a session that can run; the package's import and the files' hashes are not in it.
        first_inference_ms: The first call.
        model: The session alone. In scenarios whose calls follow each other, on input that is ready; where frames
            arrive, as part of each decision.
        crop_to_decision: From pixels to labelled probabilities.
        stages: What that is made of, and ``decode``, which is not in it; empty in reports from before they were told
            apart.
        throughput_samples_per_s: Crops over mean time of the model alone.
        harness_p50_us: The same call to a session that computes nothing: what measuring itself costs; None in reports
            from before it was measured.
        peak_memory_bytes: High-water mark of the process.
        outcome: What only this scenario says; None in reports from before there were scenarios.
        samples_sha256: Of the file that keeps every sample; None when none was kept.
        energy: Of a further run of the scenario, or why it was not measured; None in reports from before it was.
        state_before: The machine before the timed run, warm-up included; None in reports from before it was read.
        state_after: The machine after it.
        throttled: What slowed the machine down or heated it between the two, a sentence each.
        did_throttle: Whether heat, power or a quota slowed the machine down at any time of the run; None where the
            machine has nothing that would tell, and in reports from before it was watched.
    """

    device: str
    runtime_version: str
    file: str
    file_sha256: str
    cores: tuple[int, ...] = ()
    warm_up: WarmUp
    load_time_ms: float
    first_inference_ms: float
    model: Latency
    crop_to_decision: Latency
    stages: dict[str, Latency] = msgspec.field(default_factory=dict)
    throughput_samples_per_s: float
    harness_p50_us: float | None = None
    peak_memory_bytes: int
    outcome: Outcome | None = None
    samples_sha256: str | None = None
    energy: Energy | NotMeasured | None = None
    state_before: MachineState | None = None
    state_after: MachineState | None = None
    throttled: tuple[str, ...] = ()
    did_throttle: bool | None = None


class AccuracyResult(Record, frozen=True, kw_only=True, tag="accuracy"):
    """What an accuracy job measured."""

    file_sha256: str
    report: AccuracyReport


class Failure(Record, frozen=True, kw_only=True, tag="failure"):
    """Why a job failed, as one readable line."""

    message: str


#: What a worker answers.
Answer = SpeedResult | AccuracyResult | Failure


class BenchRow(Record, frozen=True, kw_only=True):
    """One line of the table: speed, size and accuracy of the same file in the same runtime.

    Attributes:
        artifact: Name.
        passport_sha256: Of its passport, and so of every file; empty in reports from before it was kept.
        target: Target it was exported for.
        precision: Its precision.
        precision_hint: That the session was opened with; None where the artifact's precision is what was computed in.
        width: Network width.
        runtime: Runtime.
        scenario: Name in `SCENARIOS`.
        batch: Crops per call, or faces per frame.
        threads: CPU threads.
        streams: Sessions side by side.
        slow_to_ms: Every inference was delayed to at least this; 0 for none.
        model_size_bytes: Files the runtime reads.
        speed: Latency, throughput, load time, memory.
        accuracy: Accuracy of the same file hash in the same runtime; None when not measured.
        samples: File that keeps every sample, relative to the report; None when none was kept.
    """

    artifact: str
    passport_sha256: str = ""
    target: str
    precision: str
    width: int
    runtime: str
    scenario: str = "single-stream"
    batch: int
    threads: int
    streams: int = 1
    slow_to_ms: float = 0.0
    model_size_bytes: int
    speed: SpeedResult
    accuracy: AccuracyReport | None = None
    precision_hint: PrecisionHint | None = None
    samples: str | None = None


class Unmeasured(Record, frozen=True, kw_only=True):
    """A combination that was not measured, and why.

    Attributes:
        artifact: Name, or path where it could not be read.
        runtime: Runtime.
        state: ``skipped`` when it cannot run here, ``failed`` when it was tried.
        reason: One sentence.
        scenario: Name; None where no scenario could have been measured.
        batch: Crops per call; None where it does not matter.
        threads: CPU threads; None where they do not matter.
    """

    artifact: str
    runtime: str
    state: Literal["skipped", "failed"] = "skipped"
    reason: str
    scenario: str | None = None
    batch: int | None = None
    threads: int | None = None


class Validity(Record, frozen=True, kw_only=True):
    """Our timer against another, on the same file, cores, threads and batch, in short runs that took turns.

    Attributes:
        artifact: Name.
        passport_sha256: Of its passport.
        runtime: Whose engine ran.
        runtime_version: Of it.
        batch: Crops per call.
        threads: CPU threads.
        cores: All processes were pinned to.
        timer: The other: ``benchmark_app``, or ``bare loop``.
        settings: What both opened the file with.
        ours_p50_ms: Of the session alone, as in every row; one for each round.
        theirs_p50_ms: The other's; one for each round.
        ratio: Median of ours over median of theirs: above 1, ours says that it takes longer.
        ratio_range: Smallest and largest ratio of a round.
        within_5_percent: Whether the ratio lies within 5 % of 1.
        mean_ratio: The same of mean wall times a call. `benchmark_app` takes its median from OpenVINO's own clock,
            which does not count how a request comes to OpenVINO's thread and back to the caller; its mean does.
    """

    artifact: str
    passport_sha256: str
    runtime: str
    runtime_version: str
    batch: int
    threads: int
    cores: tuple[int, ...]
    timer: str
    settings: dict[str, str]
    ours_p50_ms: tuple[float, ...]
    theirs_p50_ms: tuple[float, ...]
    ratio: float
    ratio_range: tuple[float, float]
    within_5_percent: bool
    mean_ratio: float


class SuiteState(Record, frozen=True, kw_only=True):
    """Which suite a report is of, and how far it is.

    Attributes:
        name: Of the suite.
        description: One sentence.
        sha256: Of its file.
        planned: Rows it has on this machine, accuracies and checks of the timer included.
        missing: Those that were not come to yet.
        notes: What a reader of the figures has to know besides.
    """

    name: str
    description: str
    sha256: str
    planned: int
    missing: int
    notes: tuple[str, ...] = ()


class BenchReport(Record, frozen=True, kw_only=True):
    """Everything one benchmark run measured.

    Attributes:
        schema: `REPORT_SCHEMA`.
        created_utc: ISO 8601.
        environment: From `capture_environment`.
        inputs: What was fed for timing.
        accuracy_data: Dataset and split; None when accuracy was not measured.
        settings: How long and how fast; None in reports from before they were kept.
        rows: Measured.
        unmeasured: Not measured.
        validity: Checks of our timer against others.
        suite: What it is the report of; None where no suite was run.
    """

    schema: int = REPORT_SCHEMA
    created_utc: str
    environment: dict[str, Any]
    inputs: str
    accuracy_data: str | None
    settings: ScenarioSettings | None = None
    rows: tuple[BenchRow, ...]
    unmeasured: tuple[Unmeasured, ...] = ()
    validity: tuple[Validity, ...] = ()
    suite: SuiteState | None = None

    @property
    def failed(self) -> bool:
        """Whether something that was tried did not work."""
        return any(row.state == "failed" for row in self.unmeasured)


def read_report(path: Path) -> BenchReport:
    """Read a report back.

    Raises:
        InputError: No such file, or not a report of this schema.
    """
    return read_record(path, BenchReport, what="a benchmark report", schema=REPORT_SCHEMA)
