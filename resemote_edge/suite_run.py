"""run_suite: a suite from its file to its report: one random network through every row's tool, measured in turn.

It stands above export and benchmarks, because it needs both. Whatever builds or measures runs in a process of its own,
so that no tool sees what another one imported or patched.
"""

import datetime
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from resemote_edge.benchmarks.contestant import Contestant, Opened
from resemote_edge.benchmarks.environment import capture_environment
from resemote_edge.benchmarks.interleave import Measured, Schedule, interleave
from resemote_edge.benchmarks.openers import INPUTS
from resemote_edge.benchmarks.ratio import ratio_of_p50
from resemote_edge.benchmarks.suite import Row, Suite
from resemote_edge.benchmarks.suite_results import Cell, RatioResult, SkippedRow, SuiteReport
from resemote_edge.benchmarks.worker_process import WorkerProcess
from resemote_edge.errors import DeviceUnavailableError, MissingDependencyError, missing_dependency
from resemote_edge.export.command import ExportOptions, run_export
from resemote_edge.export.recipe import find_recipe

__all__ = ["build_artifact", "build_checkpoint", "export_row", "quick", "run_suite"]

_OPENERS = "resemote_edge.benchmarks.openers"

#: Exporting and quantizing the paper's width takes minutes on a small machine; an hour means that it hangs.
_PREPARE_TIMEOUT_S = 3600.0

_CALIBRATION_IMAGES = 64

_TOOLS = ("torch", "onnx", "onnxscript", "onnxruntime", "openvino", "nncf", "numpy", "resemote-edge")

#: Told the share that is done, 0 to 1.
Progress = Callable[[float], None]


def quick(suite: Suite) -> Suite:
    """The suite with so few rounds that it only shows whether everything works; its figures mean nothing."""
    return msgspec.structs.replace(suite, seconds=0.0, min_rounds=3, warmup_runs=1, runs_per_turn=3)


def run_suite(
    suite: Suite,
    notice: Callable[[str], None] = lambda text: None,
    progress: Progress = lambda share: None,
) -> SuiteReport:
    """Prepare and measure every row of a suite.

    Args:
        suite: What; see `load_suite`.
        notice: Told what happens, one line at a time.
        progress: Told the share of the measuring that is done.

    Returns:
        The report. Rows whose package is not installed, or whose device or precision this machine lacks, are listed as
        skipped, with the reason.

    Raises:
        InputError: A recipe does not exist.
        DeviceUnavailableError: No row can run here.
        ResEmoteEdgeError: Whatever preparing or measuring a row raises.
    """
    for row in suite.rows:
        if row.recipe is not None:
            find_recipe(row.recipe)  # before minutes of work, not after
    environment = capture_environment()
    with tempfile.TemporaryDirectory(prefix="resemote-edge-suite-") as folder:
        ready, skipped = _prepare_all(suite, Path(folder), notice)
        if not ready:
            raise DeviceUnavailableError(
                "no row can run here: " + "; ".join(f"{row.row}: {row.reason}" for row in skipped)
            )
        cells, ratios = _measure_all(suite, ready, notice, progress)
    return SuiteReport(
        created_utc=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        environment=environment.to_dict(),
        inputs=INPUTS,
        suite=suite,
        tools=_versions(),
        cells=cells,
        ratios=ratios,
        skipped=tuple(skipped),
    )


def export_row(row: Row, checkpoint: Path, folder: Path) -> Path:
    """Export the artifact of a row of ours.

    INT8 recipes take the ranges that `build_checkpoint` recorded beside the network.

    Args:
        row: With a recipe.
        checkpoint: The random network.
        folder: Destination; must not exist.

    Returns:
        The artifact's folder.

    Raises:
        ResEmoteEdgeError: Whatever the export raises.
    """
    return run_export(ExportOptions(checkpoint=checkpoint, recipe=row.recipe, output=folder)).path


def build_artifact(row: dict[str, Any], checkpoint: str, folder: str) -> Opened:
    """Opener: `export_row` in a process of its own."""
    export_row(msgspec.convert(row, Row), Path(checkpoint), Path(folder))
    return Opened()


def build_checkpoint(width: int, seed: int, path: str) -> Opened:
    """Opener: write a random network as a checkpoint, with activation ranges beside it."""
    try:
        from resemote_edge.data.calibration import drawn_calibration
        from resemote_edge.export.quantize.quantization import calibrate
        from resemote_edge.export.quantize.recorded import recorded_path, write_recorded
        from resemote_edge.labels import RESEMOTENET
        from resemote_edge.models.checkpoint import load_checkpoint, save_checkpoint
        from resemote_edge.models.random_network import random_network
    except ModuleNotFoundError as error:
        raise missing_dependency(str(error.name), "peers", "running a suite") from None
    save_checkpoint(random_network(width, seed).state_dict(), Path(path), RESEMOTENET)
    checkpoint = load_checkpoint(path)
    chosen = drawn_calibration(_CALIBRATION_IMAGES)
    write_recorded(checkpoint, calibrate(checkpoint, chosen), chosen.manifest, recorded_path(checkpoint.path))
    return Opened()


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """A row that can be opened.

    Attributes:
        row: From the suite.
        folder: Its model files.
        facts: ``runtime`` and ``model_size_bytes``.
    """

    row: Row
    folder: Path
    facts: dict[str, Any] = field(default_factory=dict)

    def contestant(self, threads: int, batch: int) -> Contestant:
        """The row at one thread count and batch size."""
        arguments: dict[str, Any] = {"threads": threads, "batch": batch}
        if self.row.peer is not None:
            function = "open_peer"
            arguments |= {"peer": self.row.peer, "folder": str(self.folder)}
        else:
            function = "open_artifact"
            arguments |= {"artifact": str(self.folder), "runtime": self.row.runtime, "hint": self.row.hint}
        return Contestant(name=self.row.name, opener=f"{_OPENERS}:{function}", arguments=arguments, threads=threads)


def _prepare_all(suite: Suite, folder: Path, notice: Callable[[str], None]) -> tuple[list[_Prepared], list[SkippedRow]]:
    """Build every row's files, and open each once, so that what cannot run is known before anything is measured."""
    notice(f"network: width {suite.width}, random weights")
    checkpoint = folder / "network.safetensors"
    arguments = {"width": suite.width, "seed": suite.seed, "path": str(checkpoint)}
    _apart(Contestant(name="the random network", opener=f"{__name__}:build_checkpoint", arguments=arguments))
    ready: list[_Prepared] = []
    skipped: list[SkippedRow] = []
    for row in suite.rows:
        notice(f"preparing {row.name}")
        try:
            ready.append(_prepare(row, suite, checkpoint, folder))
        except (MissingDependencyError, DeviceUnavailableError) as error:
            notice(f"skipped {row.name}: {error}")
            skipped.append(SkippedRow(row=row.name, reason=str(error)))
    return ready, skipped


def _prepare(row: Row, suite: Suite, checkpoint: Path, folder: Path) -> _Prepared:
    facts: dict[str, Any] = {}
    if row.peer is not None:
        destination = folder / row.name
        destination.mkdir()
        arguments = {"peer": row.peer, "checkpoint": str(checkpoint), "folder": str(destination)}
        facts = _apart(Contestant(name=row.name, opener=f"{_OPENERS}:prepare_peer", arguments=arguments))
    else:
        destination = folder / f"recipe-{row.recipe}"  # rows may share an artifact
        if not destination.exists():
            options = {"row": msgspec.to_builtins(row), "checkpoint": str(checkpoint), "folder": str(destination)}
            _apart(Contestant(name=row.name, opener=f"{__name__}:build_artifact", arguments=options))
    prepared = _Prepared(row=row, folder=destination)
    opened = _apart(prepared.contestant(max(suite.threads), max(suite.batches)))
    return _Prepared(row=row, folder=destination, facts=facts | opened)


def _apart(contestant: Contestant) -> dict[str, Any]:
    """Open something in a process of its own, and end it again."""
    with WorkerProcess(contestant) as worker:
        return worker.open(_PREPARE_TIMEOUT_S)


def _measure_all(
    suite: Suite, ready: list[_Prepared], notice: Callable[[str], None], progress: Progress
) -> tuple[tuple[Cell, ...], tuple[RatioResult, ...]]:
    cells: list[Cell] = []
    ratios: list[RatioResult] = []
    conditions = [(threads, batch) for threads in suite.threads for batch in suite.batches]
    schedule = Schedule(
        seconds=suite.seconds,
        min_rounds=suite.min_rounds,
        warmup_runs=suite.warmup_runs,
        runs_per_turn=suite.runs_per_turn,
        seed=suite.seed,
    )
    for index, (threads, batch) in enumerate(conditions):
        notice(f"measuring: batch {batch}, threads {threads}")

        def part(share: float, done: int = index) -> None:
            progress((done + share) / len(conditions))

        measured = interleave([row.contestant(threads, batch) for row in ready], schedule, part)
        cells += [_cell(row, measured[row.row.name], threads, batch) for row in ready]
        ratios += _ratios(suite, measured, threads, batch)
    order = [spec.name for spec in suite.ratios]
    return tuple(cells), tuple(sorted(ratios, key=lambda ratio: (order.index(ratio.name), ratio.threads, ratio.batch)))


def _cell(prepared: _Prepared, measured: Measured, threads: int, batch: int) -> Cell:
    p50, p90, p99 = np.percentile(measured.nanoseconds, (50, 90, 99)) / 1e6
    return Cell(
        row=prepared.row.name,
        runtime=prepared.facts["runtime"],
        threads=threads,
        batch=batch,
        rounds=len(measured.nanoseconds),
        runs=measured.nanoseconds.size,
        latency_p50_ms=float(p50),
        latency_p90_ms=float(p90),
        latency_p99_ms=float(p99),
        model_size_bytes=prepared.facts["model_size_bytes"],
    )


def _ratios(suite: Suite, measured: dict[str, Measured], threads: int, batch: int) -> list[RatioResult]:
    """The comparisons of one cell, as far as both rows ran."""
    results = []
    for spec in suite.ratios:
        if spec.ours not in measured or spec.against not in measured:
            continue
        found = ratio_of_p50(measured[spec.ours].nanoseconds, measured[spec.against].nanoseconds, seed=suite.seed)
        goals = [goal.at_least for goal in spec.goal if (goal.threads, goal.batch) == (threads, batch)]
        results.append(
            RatioResult(
                name=spec.name,
                threads=threads,
                batch=batch,
                ratio=found.value,
                interval_95=found.interval_95,
                goal=goals[0] if goals else None,
                met=found.value >= goals[0] if goals else None,
            )
        )
    return results


def _versions() -> dict[str, str]:
    found = {}
    for name in _TOOLS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
