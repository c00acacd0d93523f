"""Suite: a matrix of artifacts, runtimes, scenarios, threads and batch sizes, in one TOML file.

`resemote_edge.workflows.suite_exports` exports and measures what it lists.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from resemote_edge.artifacts.record import Name, Strict, read_text_bytes, read_toml, refuse_repeated
from resemote_edge.errors import InputError
from resemote_edge.machine.topology import allowed_cores
from resemote_edge.measuring.scenarios import SCENARIOS, ScenarioSettings, get_scenario, preset
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.runtimes.session import PrecisionHint, SessionOptions
from resemote_edge.weights import embedded_checkpoint

__all__ = [
    "SUITE_SCHEMA",
    "AccuracyOptions",
    "Exclude",
    "ExportEntry",
    "LoadedSuite",
    "Suite",
    "ValidityEntry",
    "check_suite",
    "load_suite",
]

SUITE_SCHEMA = 1

#: Largest batch size measured; larger ones would not fit into the memory of small machines.
MAX_BATCH = 4096

_Count = Annotated[int, msgspec.Meta(ge=1, le=4096)]
_Rate = Annotated[float, msgspec.Meta(gt=0.0, le=10_000.0)]
_Pattern = str | int | float


class ExportEntry(Strict, frozen=True, kw_only=True):
    """Embedded weights that are exported on first use.

    Attributes:
        variant: Variant of the embedded weights.
        recipe: Recipe of the export; None for the default of target and precision on this CPU.
        target: Target, given with a precision instead of a recipe.
        precision: Precision, given with a target.
        name: Name of the artifact; made of the other fields where it is left out.
    """

    variant: str
    recipe: str | None = None
    target: str | None = None
    precision: str | None = None
    name: Name | None = None

    @property
    def artifact(self) -> str:
        """Name of the artifact and of its folder."""
        what = f"{self.target}-{self.precision}" if self.recipe is None else Path(self.recipe).stem
        return self.name or f"{embedded_checkpoint(self.variant).stem}-{what}"


class Exclude(Strict, frozen=True, kw_only=True):
    """Rows to leave out: those that match every field given. A field is a glob, a number, or a list of them.

    Attributes:
        artifact: Name of the artifact.
        target: Target that it was exported for.
        precision: Precision of the artifact.
        runtime: Name of the runtime.
        scenario: Name of the scenario.
        batch: Crops per call, or faces per frame.
        threads: Number of CPU threads.
        streams: Number of sessions side by side.
        fps: Frames a second.
    """

    artifact: _Pattern | tuple[_Pattern, ...] | None = None
    target: _Pattern | tuple[_Pattern, ...] | None = None
    precision: _Pattern | tuple[_Pattern, ...] | None = None
    runtime: _Pattern | tuple[_Pattern, ...] | None = None
    scenario: _Pattern | tuple[_Pattern, ...] | None = None
    batch: _Pattern | tuple[_Pattern, ...] | None = None
    threads: _Pattern | tuple[_Pattern, ...] | None = None
    streams: _Pattern | tuple[_Pattern, ...] | None = None
    fps: _Pattern | tuple[_Pattern, ...] | None = None

    @property
    def patterns(self) -> dict[str, tuple[str, ...]]:
        """The globs of each field that was given."""
        given = {name: getattr(self, name) for name in self.__struct_fields__}
        listed = {name: value if isinstance(value, tuple) else (value,) for name, value in given.items()}
        return {name: tuple(map(_text, value)) for name, value in listed.items() if value != (None,)}

    def matches(self, fields: Mapping[str, object]) -> bool:
        """Whether a row with these fields is left out; a field that is None matches nothing."""
        return all(
            fields[name] is not None and _any_match(patterns, [_text(fields[name])])
            for name, patterns in self.patterns.items()
        )


class AccuracyOptions(Strict, frozen=True, kw_only=True):
    """Accuracy of every artifact in every runtime.

    Attributes:
        split: Split of the dataset.
        reference: Artifact to compare with, image by image: name of an ``[[export]]``, or an artifact's path relative
            to the file; None for none.
    """

    split: Literal["validation", "test"] = "test"
    reference: str | None = None


class ValidityEntry(Strict, frozen=True, kw_only=True):
    """Our timer against another: OpenVINO's ``benchmark_app``, or a bare loop of ONNX Runtime.

    Attributes:
        artifact: Glob of artifacts' names.
        runtime: Runtime whose timer is compared.
        batch: Crops per call.
        threads: Number of CPU threads; None for all cores.
        rounds: Number of short runs of each timer, in turn.
        seconds: Length of each run; a whole number, since ``benchmark_app`` takes no other.
    """

    artifact: str
    runtime: Literal["openvino", "onnxruntime"]
    batch: _Count = 1
    threads: _Count | None = None
    rounds: Annotated[int, msgspec.Meta(ge=1, le=100)] = 5
    seconds: Annotated[int, msgspec.Meta(ge=1, le=600)] = 2

    @property
    def effective_threads(self) -> int:
        """Number of threads of one call."""
        return self.threads or len(allowed_cores())

    def wants(self, artifact: str) -> bool:
        """Whether an artifact of this name is checked."""
        return _any_match([self.artifact], [artifact])


class Suite(
    Strict, frozen=True, kw_only=True, rename={"exports": "export", "excludes": "exclude", "checks": "validity"}
):
    """A suite: the rows to measure, as every combination of the lists below.

    Attributes:
        schema: Schema of the file, `SUITE_SCHEMA`.
        name: Name, which is the file's stem.
        description: Description in one sentence.
        preset: Name of a preset in `PRESETS`; ``standard`` where there are no settings either.
        settings: Settings of the scenarios, instead of a preset.
        artifacts: Folders of artifacts, relative to the file's.
        exports: Embedded weights to export; ``[[export]]`` in the file.
        runtimes: Names of runtimes; None for every runtime that loads an artifact and works here.
        scenarios: Names of scenarios in `SCENARIOS`.
        batches: Crops per call, or faces per frame.
        threads: Numbers of CPU threads over all streams; None for all cores.
        streams: Numbers of sessions side by side, in scenarios that can have several; the others have one.
        fps: Frames a second, in scenarios where frames arrive; None for the rate of the settings.
        accuracy: Accuracy of every artifact in every runtime; None for none.
        excludes: Rows that are left out; ``[[exclude]]`` in the file.
        checks: Checks of our timer; ``[[validity]]`` in the file.
        device: Name of the device, or ``auto``.
        crop_side: Rows and columns of the crops that decisions are timed from.
        precision_hint: Precision hint of every session, as in `SessionOptions`.
        slow_to_ms: Shortest time that every inference is delayed to; 0 for no delay.
        timeout_seconds: Seconds after which a row's process is ended.
    """

    schema: int
    name: Name
    description: str
    preset: str | None = None
    settings: ScenarioSettings | None = None
    artifacts: tuple[str, ...] = ()
    exports: tuple[ExportEntry, ...] = ()
    runtimes: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] | None = None
    scenarios: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)] = ("single-stream",)
    batches: Annotated[tuple[_Count, ...], msgspec.Meta(min_length=1)] = (1,)
    threads: Annotated[tuple[_Count, ...], msgspec.Meta(min_length=1)] | None = None
    streams: Annotated[tuple[_Count, ...], msgspec.Meta(min_length=1)] = (1,)
    fps: Annotated[tuple[_Rate, ...], msgspec.Meta(min_length=1)] | None = None
    accuracy: AccuracyOptions | None = None
    excludes: tuple[Exclude, ...] = ()
    checks: tuple[ValidityEntry, ...] = ()
    device: str = "auto"
    crop_side: Annotated[int, msgspec.Meta(ge=8, le=1024)] = 48
    precision_hint: PrecisionHint | None = None
    slow_to_ms: Annotated[float, msgspec.Meta(ge=0.0, le=60_000.0)] = 0.0
    timeout_seconds: Annotated[float, msgspec.Meta(ge=1.0, le=86400.0)] = 1800.0

    @property
    def effective_settings(self) -> ScenarioSettings:
        """Settings that apply: how long and how fast."""
        return self.settings or preset(self.preset or "standard")

    @property
    def effective_threads(self) -> tuple[int, ...]:
        """Thread counts on this machine."""
        return self.threads or (len(allowed_cores()),)

    @property
    def session_options(self) -> SessionOptions:
        """Options that decide whether a session can be opened at all."""
        return SessionOptions(device=self.device, precision_hint=self.precision_hint)

    @property
    def effective_fps(self) -> tuple[float, ...]:
        """Frames a second that apply."""
        return self.fps or (self.effective_settings.fps,)


@dataclass(frozen=True, kw_only=True)
class LoadedSuite:
    """A suite and its file.

    Attributes:
        suite: Suite that the file describes.
        path: Path of the file.
        content: Bytes of the file.
    """

    suite: Suite
    path: Path
    content: bytes = field(repr=False)

    def artifact_path(self, name: str) -> Path:
        """Path of an artifact that the file names."""
        return self.path.parent / name


def load_suite(path: Path) -> LoadedSuite:
    """Read and validate a suite.

    Raises:
        InputError: No such file, not TOML, a key missing, unknown or of the wrong type, a name that leads nowhere, or
            settings that make no sense.
    """
    hint = "one is a TOML file, as those in benchmarks/suites"
    suite = read_toml(path, Suite, what="suite", schema=SUITE_SCHEMA, hint=hint)
    if not suite.artifacts and not suite.exports:
        raise InputError(f"{path}: it names nothing to measure", hint="list artifacts = [...], or add an [[export]]")
    try:
        check_suite(suite)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return LoadedSuite(suite=suite, path=path, content=read_text_bytes(path))


def check_suite(suite: Suite) -> None:
    """Refuse a suite that could only fail once something was measured.

    Raises:
        InputError: A name leads nowhere, something appears twice, or settings make no sense.
    """
    _check_names(suite)
    _check_settings(suite)
    for number, exclude in enumerate(suite.excludes, start=1):
        _check_exclude(exclude, number, suite)
    for check in suite.checks:
        _check_validity(check, suite)


def _check_names(suite: Suite) -> None:
    for runtime in suite.runtimes or ():
        get_runtime(runtime)
    for scenario in suite.scenarios:
        get_scenario(scenario)
    for entry in suite.exports:
        given = [value is not None for value in (entry.recipe, entry.target, entry.precision)]
        if given not in ([True, False, False], [False, True, True]):
            raise InputError(f"[[export]] of variant {entry.variant}: name a recipe, or a target and a precision")
    exported = [entry.artifact for entry in suite.exports]
    dimensions: dict[str, Iterable[object]] = {
        "artifact": [*suite.artifacts, *exported],
        "runtime": suite.runtimes or (),
        "scenario": suite.scenarios,
        "batch size": suite.batches,
        "thread count": suite.threads or (),
        "number of streams": suite.streams,
        "frame rate": suite.fps or (),
    }
    for what, values in dimensions.items():
        refuse_repeated(what, values)


def _check_settings(suite: Suite) -> None:
    if suite.preset is not None and suite.settings is not None:
        raise InputError("it has a preset and [settings]", hint="keep one of them")
    _check_measure(suite.effective_settings, suite.batches)
    if max(suite.streams) > 1 and not any(SCENARIOS[name].streams for name in suite.scenarios):
        raise InputError("streams above 1 need the scenario offline", hint="the others have one stream")
    if suite.fps is not None and not any(SCENARIOS[name].arrives for name in suite.scenarios):
        raise InputError("fps is for camera and multi-stream, and neither is measured", hint="remove it")


def _check_measure(settings: ScenarioSettings, batches: tuple[int, ...]) -> None:
    if not batches or min(batches) < 1:
        raise InputError(f"batch sizes start at 1, got {batches}")
    if max(batches) > MAX_BATCH:
        raise InputError(f"batch size {max(batches)} is beyond {MAX_BATCH}, the largest that is measured")
    times = {"seconds to measure": settings.min_seconds, "wait for times to settle": settings.warmup_seconds}
    for what, seconds in times.items():
        if not 0 <= seconds < float("inf"):
            raise InputError(f"the {what} must be a finite number from 0 up, got {seconds}")
    if not 0 < settings.fps < float("inf"):
        raise InputError(f"frames a second must be a finite number above 0, got {settings.fps}")
    if settings.min_runs < 1 or settings.warmup_runs < 0 or settings.queue_frames < 1:
        raise InputError("[settings]: min_runs and queue_frames start at 1, warmup_runs at 0")
    if not 0.0 < settings.window_seconds < float("inf"):
        raise InputError(f"[settings]: window_seconds must be above 0, got {settings.window_seconds}")


def _check_exclude(exclude: Exclude, number: int, suite: Suite) -> None:
    """Refuse an exclude that leaves out nothing or everything, most likely by a typing error."""
    if not exclude.patterns:
        raise InputError(
            f"[[exclude]] {number} has no field and would leave everything out", hint="add one, or remove it"
        )
    known: dict[str, Iterable[object]] = {
        "scenario": suite.scenarios,
        "batch": suite.batches,
        "threads": suite.effective_threads,
        "streams": suite.streams,
        "fps": suite.effective_fps,
    }
    if suite.runtimes is not None:
        known["runtime"] = suite.runtimes
    if not suite.artifacts:  # Their names are only known once they are read.
        known["artifact"] = [entry.artifact for entry in suite.exports]
    for name, values in known.items():
        patterns, texts = exclude.patterns.get(name, ()), [_text(value) for value in values]
        for pattern in patterns:
            # A number of threads may be right on another machine.
            if not _any_match([pattern], texts) and (name, suite.threads) != ("threads", None):
                raise InputError(
                    f"[[exclude]] {number}: {name} {pattern!r} is not one of {', '.join(texts)}", hint="correct it"
                )


def _check_validity(check: ValidityEntry, suite: Suite) -> None:
    exported = [entry.artifact for entry in suite.exports]
    if not suite.artifacts and not _any_match([check.artifact], exported):
        raise InputError(
            f"[[validity]]: artifact {check.artifact!r} is not one of {', '.join(exported)}", hint="correct it"
        )
    if suite.runtimes is not None and check.runtime not in suite.runtimes:
        raise InputError(
            f"[[validity]]: runtime {check.runtime} is not one of {', '.join(suite.runtimes)}", hint="add it there"
        )


def _text(value: object) -> str:
    """Write a field for globs: 30.0 as 30."""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _any_match(patterns: Iterable[str], texts: Iterable[str]) -> bool:
    known = list(texts)
    return any(fnmatchcase(text, pattern) for pattern in patterns for text in known)
