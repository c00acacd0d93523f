"""Jobs and results of the benchmark: the messages between processes, and the records written as JSON."""

from functools import partial
from typing import Annotated, Literal

from msgspec import Meta

from resemote_edge.artifacts.record import Count, Measured, Record, Text, read_record
from resemote_edge.evaluation.accuracy import AccuracyReport
from resemote_edge.machine.energy import Energy, NotMeasured
from resemote_edge.machine.environment import check_environment
from resemote_edge.machine.state import MachineState
from resemote_edge.measuring.latency import Latency
from resemote_edge.measuring.scenarios import Outcome, ScenarioSettings
from resemote_edge.measuring.timing import WarmUp
from resemote_edge.runtimes.session import PrecisionHint

__all__ = [
    "AccuracyJob",
    "AccuracyResult",
    "BenchReport",
    "BenchRow",
    "SpeedJob",
    "SpeedResult",
    "SuiteState",
    "Unmeasured",
    "Validity",
    "read_report",
]

REPORT_SCHEMA = 2


#: Crops, threads or streams of a measurement.
Positive = Annotated[int, Meta(ge=1, le=1 << 20)]

#: A time or a rate that was measured.
NotNegative = Annotated[float, Meta(ge=0.0, le=1e15)]


class SpeedJob(Record, frozen=True, kw_only=True):
    """Job that measures one artifact in one runtime and scenario, in a process of its own.

    Attributes:
        artifact: Folder of the artifact.
        runtime: Name of the runtime.
        device: Name of the device, or ``auto``.
        scenario: Name of the scenario in `SCENARIOS`.
        settings: Settings of the scenario: how long and how fast.
        threads: Number of CPU threads over all streams.
        cores: Cores the process is pinned to.
        batch: Crops per call, or faces per frame.
        streams: Number of sessions side by side.
        crop_side: Rows and columns of the crops that decisions are timed from.
        precision_hint: Precision hint, as in `SessionOptions`.
        slow_to_ms: Time that every inference is delayed to take at least; 0 for no delay.
        samples: File to keep every sample in; None to keep none.
    """

    artifact: Text
    runtime: str
    device: str
    scenario: Text
    settings: ScenarioSettings
    threads: Positive
    cores: tuple[int, ...]
    batch: Positive
    streams: Positive = 1
    crop_side: int = 48
    precision_hint: PrecisionHint | None = None
    slow_to_ms: float = 0.0
    samples: str | None = None


class AccuracyJob(Record, frozen=True, kw_only=True):
    """Job that measures the accuracy of one artifact and runtime, in a process of its own.

    Attributes:
        artifact: Folder of the artifact.
        runtime: Name of the runtime.
        device: Name of the device, or ``auto``.
        threads: Number of CPU threads.
        data: Dataset to measure on.
        split: Split of the dataset.
        reference: Folder of an artifact to compare with, image by image.
        precision_hint: Precision hint, as in `SessionOptions`.
    """

    artifact: Text
    runtime: str
    device: str
    threads: Positive
    data: str
    split: str
    reference: str | None = None
    precision_hint: PrecisionHint | None = None


class SpeedResult(Record, frozen=True, kw_only=True, tag="speed"):
    """Measurements of a speed job.

    Attributes:
        device: Device that the session ran on.
        runtime_version: Version of the runtime's package.
        file: File that ran, relative to the artifact.
        file_sha256: Hash of that file.
        cores: Cores the process was pinned to; empty if it was not pinned.
        warm_up: Untimed calls before the measurement.
        load_time_ms: Time from files to a session that can run, without importing the package and hashing the files.
        first_inference_ms: Time of the first call.
        model: Time of the session alone: on prepared input where calls follow each other, and as part of each decision
            where frames arrive.
        crop_to_decision: Time from pixels to labelled probabilities.
        stages: Time of each of its stages, and of ``decode``, which comes before; empty if not timed separately.
        throughput_samples_per_s: Crops a second of the model alone, from its mean time.
        harness_p50_us: Cost of the harness itself: median of the same call to a session that computes nothing; None if
            not measured.
        peak_memory_bytes: High-water mark of the process.
        outcome: Result that is specific to the scenario; None if not recorded.
        samples_sha256: Hash of the file that keeps every sample; None if none was kept.
        energy: Energy of a further run of the scenario, or the reason why it was not measured.
        state_before: State of the machine before the timed run, warm-up included; None if it was not read.
        state_after: State of the machine after the run; None if it was not read.
        throttled: Events between the two that slowed or heated the machine, a sentence each; empty if the states were
            not read.
        did_throttle: Whether heat, power or a quota slowed the machine at any time of the run; None if it was not
            watched, or nothing on the machine can tell.
    """

    device: str
    runtime_version: str
    file: str
    file_sha256: str
    cores: tuple[int, ...]
    warm_up: WarmUp
    load_time_ms: NotNegative
    first_inference_ms: float
    model: Latency
    crop_to_decision: Latency
    stages: dict[str, Latency]
    throughput_samples_per_s: NotNegative
    harness_p50_us: float | None
    peak_memory_bytes: Count
    outcome: Outcome | None
    samples_sha256: str | None
    energy: Energy | NotMeasured
    state_before: MachineState | None
    state_after: MachineState | None
    throttled: tuple[str, ...]
    did_throttle: bool | None


class AccuracyResult(Record, frozen=True, kw_only=True, tag="accuracy"):
    """Accuracy of a file in a runtime.

    Attributes:
        file_sha256: Hash of the file that ran.
        report: Report of its accuracy.
    """

    file_sha256: str
    report: AccuracyReport


class BenchRow(Record, frozen=True, kw_only=True):
    """One line of the table: speed, size and accuracy of the same file in the same runtime.

    Attributes:
        artifact: Name of the artifact.
        passport_sha256: Hash of its passport, and so of every file; empty if it was not recorded.
        target: Target it was exported for.
        precision: Precision of the artifact.
        precision_hint: Precision hint that the session was opened with; None for the artifact's own precision.
        width: Network width.
        runtime: Name of the runtime.
        scenario: Name of the scenario in `SCENARIOS`.
        batch: Crops per call, or faces per frame.
        threads: Number of CPU threads over all streams.
        streams: Number of sessions side by side.
        slow_to_ms: Shortest time that every inference was delayed to; 0 for no delay.
        model_size_bytes: Size of the files the runtime reads.
        speed: Latency, throughput, load time, memory.
        accuracy: Accuracy of the same file hash in the same runtime; None if not measured.
        samples: File that keeps every sample, relative to the report; None if none was kept.
    """

    artifact: Text
    passport_sha256: str
    target: str
    precision: str
    width: int
    runtime: Text
    scenario: str
    batch: Positive
    threads: int
    streams: Positive
    slow_to_ms: float
    model_size_bytes: int
    speed: SpeedResult
    accuracy: AccuracyReport | None = None
    precision_hint: PrecisionHint | None = None
    samples: str | None = None


class Unmeasured(Record, frozen=True, kw_only=True):
    """A combination that was not measured, and why.

    Attributes:
        artifact: Name of the artifact, or its path where it could not be read.
        runtime: Name of the runtime.
        state: State, ``skipped`` when it cannot run here, ``failed`` when it was tried.
        reason: Reason in one sentence.
        scenario: Name of the scenario; None if no scenario could have been measured.
        batch: Crops per call; None if it does not matter.
        threads: Number of CPU threads; None if they do not matter.
    """

    artifact: Text
    runtime: str
    state: Literal["skipped", "failed"] = "skipped"
    reason: str
    scenario: str | None = None
    batch: int | None = None
    threads: int | None = None


class Validity(Record, frozen=True, kw_only=True):
    """Our timer compared with another, on the same file, cores, threads and batch, in short runs that took turns.

    Attributes:
        artifact: Name of the artifact.
        passport_sha256: Hash of its passport.
        runtime: Runtime whose engine ran.
        runtime_version: Version of the runtime.
        batch: Crops per call.
        threads: Number of CPU threads.
        cores: Cores all processes were pinned to.
        timer: Name of the other timer: ``benchmark_app``, or ``bare loop``.
        settings: Settings with which both opened the file.
        ours_p50_ms: Medians of the session alone, as in every row; one for each round.
        theirs_p50_ms: Medians of the other timer; one for each round.
        ratio: Median of ours over median of theirs: above 1, our timer reports a longer time.
        ratio_range: Smallest and largest ratio of a round.
        within_5_percent: Whether the ratio lies within 5 % of 1.
        mean_ratio: Ratio of mean wall times of a call. The mean of `benchmark_app` includes the time in which a request
            reaches OpenVINO's thread and returns to the caller; its median, by OpenVINO's own clock, does not.
    """

    artifact: Text
    passport_sha256: str
    runtime: Text
    runtime_version: str
    batch: Positive
    threads: int
    cores: tuple[int, ...]
    timer: Text
    settings: dict[str, str]
    ours_p50_ms: tuple[float, ...]
    theirs_p50_ms: tuple[float, ...]
    ratio: float
    ratio_range: tuple[float, float]
    within_5_percent: bool
    mean_ratio: float


class SuiteState(Record, frozen=True, kw_only=True):
    """The suite that a report belongs to, and how far it has run.

    Attributes:
        name: Name of the suite.
        description: Description in one sentence.
        sha256: Hash of its file.
        planned: Number of rows it has on this machine, accuracies and checks of the timer included.
        missing: Rows that were not reached yet.
        notes: Caveats about the figures.
    """

    name: Text
    description: str
    sha256: str
    planned: Count
    missing: int
    notes: tuple[str, ...] = ()


class BenchReport(Measured, frozen=True, kw_only=True):
    """Everything one benchmark run measured.

    Attributes:
        inputs: Inputs that were fed for timing.
        accuracy_data: Name of the dataset and split; None if accuracy was not measured.
        settings: Settings of the scenarios; None if they were not recorded.
        rows: Rows that were measured.
        unmeasured: Combinations that were not measured.
        validity: Checks of our timer against others.
        suite: Suite that it is the report of; None if no suite was run.
    """

    schema: int = REPORT_SCHEMA
    inputs: str
    accuracy_data: str | None
    settings: ScenarioSettings | None
    rows: tuple[BenchRow, ...]
    unmeasured: tuple[Unmeasured, ...] = ()
    validity: tuple[Validity, ...] = ()
    suite: SuiteState | None = None

    def __post_init__(self) -> None:
        """Refuse an environment whose facts are of other types."""
        check_environment(self.environment)

    @property
    def failed(self) -> bool:
        """Whether something that was tried did not work."""
        return any(row.state == "failed" for row in self.unmeasured)


#: Reads a benchmark report back; see `read_record`.
read_report = partial(read_record, kind=BenchReport, what="a benchmark report", schema=REPORT_SCHEMA)
