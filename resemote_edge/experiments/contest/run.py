"""run_contest: prepares and measures the rows of a contest, which take turns, and reports on them.

Builds and measurements run in processes of their own, so that no tool sees what another one imported or patched.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from resemote_edge.artifacts.partial import scratch_folder
from resemote_edge.artifacts.record import utc_now
from resemote_edge.data.dataset import Dataset
from resemote_edge.data.registry import load_dataset
from resemote_edge.errors import DeviceUnavailableError, InputError, MissingDependencyError, needs
from resemote_edge.experiments.contest.accuracy import judge_rows
from resemote_edge.experiments.contest.file import Contest, Row
from resemote_edge.experiments.contest.results import (
    AccuracyDifference,
    Cell,
    ContestReport,
    RatioResult,
    RowAccuracy,
    SkippedRow,
)
from resemote_edge.experiments.peers import own_network
from resemote_edge.export.recipe import find_recipe
from resemote_edge.machine.environment import capture_environment, package_versions
from resemote_edge.measuring.interleave import Measured, Schedule, interleave
from resemote_edge.measuring.latency import summarize_latency
from resemote_edge.measuring.processes.contestant import Contestant, Opened
from resemote_edge.measuring.processes.opener import INPUTS
from resemote_edge.measuring.processes.worker_process import run_apart
from resemote_edge.measuring.statistics.ratio import ratio_of_p50
from resemote_edge.weights import embedded_checkpoint

__all__ = ["build_checkpoint", "quick", "run_contest"]

_ARTIFACTS = "resemote_edge.measuring.processes.opener"

_EXPORT = "resemote_edge.workflows.suite_exports:build_artifact"

_PEERS = "resemote_edge.experiments.contest.openers"

_TRAINING = "resemote_edge.training.throughput:open_training"

#: Exporting and quantizing the paper's width takes minutes on a small machine; an hour means that it hangs.
_PREPARE_TIMEOUT_S = 3600.0

_apart = partial(run_apart, timeout_s=_PREPARE_TIMEOUT_S)

_CALIBRATION_IMAGES = 64

_TOOLS = ("torch", "onnx", "onnxscript", "onnxruntime", "openvino", "nncf", "numpy", "resemote-edge")

#: Function that is called with the share that is done, 0 to 1.
Progress = Callable[[float], None]


def quick(contest: Contest) -> Contest:
    """Reduce the contest to a few rounds, which show whether everything works but give no meaningful figures."""
    return msgspec.structs.replace(contest, seconds=0.0, min_rounds=3, warmup_runs=1, runs_per_turn=3)


def run_contest(
    contest: Contest,
    notice: Callable[[str], None] = lambda text: None,
    progress: Progress = lambda share: None,
    *,
    data: Path | None = None,
) -> ContestReport:
    """Prepare and measure every row of a contest.

    Args:
        contest: Contest to run; see `load_contest`.
        notice: Function called with what happens, one line at a time.
        progress: Function called with the share of the measuring that is done.
        data: Dataset for the accuracy of rows with trained weights, on its test split; None leaves accuracy out.

    Returns:
        The report. A row is listed as skipped, with the reason, if its package or environment is not installed, or if
        this machine lacks its device or precision.

    Raises:
        InputError: A recipe does not exist, a variable names no environment, or there is data and no row to judge.
        DatasetError: The data cannot be read.
        DeviceUnavailableError: No row can run here.
        ResEmoteEdgeError: A row could not be prepared or measured.
    """
    _refuse_early(contest)
    splits = None if data is None else _judged_on(contest, data)
    environment = capture_environment()
    with scratch_folder("contest") as folder:
        ready, skipped = _prepare_all(contest, Path(folder), notice)
        if not ready:
            raise DeviceUnavailableError(
                "no row can run here: " + "; ".join(f"{row.row}: {row.reason}" for row in skipped)
            )
        accuracy, differences = ((), ()) if splits is None else _judge(contest, ready, splits, Path(folder), notice)
        cells, ratios = _measure_all(contest, ready, notice, progress)
    return ContestReport(
        created_utc=utc_now(),
        environment=environment.to_dict(),
        inputs=_inputs(contest),
        contest=contest,
        tools=package_versions(_TOOLS)
        | {name: version for row in ready for name, version in row.facts["versions"].items()},
        cells=cells,
        ratios=ratios,
        skipped=tuple(skipped),
        accuracy=accuracy,
        differences=differences,
    )


def build_checkpoint(width: int, seed: int, path: str) -> Opened:
    """Write a random network as a checkpoint with activation ranges; an opener (see `Contestant`)."""
    with needs("peers", "running a contest"):
        from resemote_edge.data.calibration import drawn_calibration
        from resemote_edge.export.quantize.quantization import calibrate
        from resemote_edge.export.quantize.recorded import recorded_path, write_recorded
        from resemote_edge.labels import RESEMOTENET
        from resemote_edge.models.checkpoint import load_checkpoint, save_checkpoint
        from resemote_edge.models.random_network import random_network
    save_checkpoint(random_network(width, seed).state_dict(), Path(path), RESEMOTENET)
    checkpoint = load_checkpoint(path)
    chosen = drawn_calibration(_CALIBRATION_IMAGES)
    write_recorded(checkpoint, calibrate(checkpoint, chosen), chosen.manifest, recorded_path(checkpoint.path))
    return Opened()


@dataclass(frozen=True, kw_only=True)
class _Prepared:
    """A row that can be opened.

    Attributes:
        row: Row of the contest.
        folder: Folder of its model files.
        contest: Contest that the row is from.
        facts: Facts: ``runtime``, ``model_size_bytes`` and ``versions``.
        python: Python of a peer's own environment; None for ours.
    """

    row: Row
    folder: Path
    contest: Contest
    python: Path | None = None
    facts: dict[str, Any] = field(default_factory=dict)

    def contestant(self, threads: int, batch: int) -> Contestant:
        """The row, as a contestant, at one thread count and batch size."""
        if self.row.training is not None:
            step = msgspec.to_builtins(self.row.training)
            facts = {"width": self.contest.width, "seed": self.contest.seed, "threads": threads, "batch": batch}
            return Contestant(name=self.row.name, opener=_TRAINING, arguments=step | facts, threads=threads)
        return self._doing("open", threads, {"batch": batch})

    def predictor(self, threads: int, images: Path, outputs: Path) -> Contestant:
        """The row, as a predictor of images; see `predict_peer`."""
        return self._doing("predict", threads, {"images": str(images), "outputs": str(outputs)})

    def _doing(self, verb: str, threads: int, arguments: dict[str, Any]) -> Contestant:
        if self.row.peer is not None:
            opener = f"{_PEERS}:{verb}_peer"
            arguments |= {"peer": self.row.peer, "folder": str(self.folder)}
        else:
            opener = f"{_ARTIFACTS}:{verb}_artifact"
            arguments |= {"artifact": str(self.folder), "runtime": self.row.runtime, "hint": self.row.hint}
        return Contestant(
            name=self.row.name,
            opener=opener,
            arguments=arguments | {"threads": threads},
            threads=threads,
            python=self.python,
        )


def _refuse_early(contest: Contest) -> None:
    """Raise errors before minutes of work."""
    for row in contest.rows:
        if row.recipe is not None:
            find_recipe(row.recipe)
        own = own_network(row.peer)
        if own is not None:
            with suppress(MissingDependencyError):  # the row will be skipped
                own.home.python()


def _inputs(contest: Contest) -> str:
    own = {row.peer: own_network(row.peer) for row in contest.rows}
    if all(row.training is not None for row in contest.rows):
        return "whole training steps on random images and labels that stay the same"
    return "; ".join([INPUTS, *[f"{name}: {peer.takes}" for name, peer in own.items() if peer is not None]])


def _judged_on(contest: Contest, data: Path) -> dict[str, Dataset]:
    if all(row.network in ("random", "untrained") for row in contest.rows):
        raise InputError(
            f"contest {contest.name}: its rows run a random network, whose accuracy means nothing",
            hint="leave --data out or give a row a checkpoint",
        )
    return load_dataset(data, splits=("train", "test"))


def _judge(
    contest: Contest, ready: list[_Prepared], splits: dict[str, Dataset], folder: Path, notice: Callable[[str], None]
) -> tuple[tuple[RowAccuracy, ...], tuple[AccuracyDifference, ...]]:
    threads = max(contest.threads)
    predictors = {
        row.row.name: partial(row.predictor, threads) for row in ready if row.row.network in ("embedded", "own")
    }
    return judge_rows(
        predictors, contest.ratios, test=splits["test"], train=splits["train"], folder=folder, notice=notice
    )


def _prepare_all(
    contest: Contest, folder: Path, notice: Callable[[str], None]
) -> tuple[list[_Prepared], list[SkippedRow]]:
    """Build every row's files and open each row once, to find those that cannot run before anything is measured."""
    checkpoint = folder / "network.safetensors"
    if any(row.network == "random" for row in contest.rows):
        notice(f"network: width {contest.width}, random weights")
        arguments = {"width": contest.width, "seed": contest.seed, "path": str(checkpoint)}
        _apart(Contestant(name="the random network", opener=f"{__name__}:build_checkpoint", arguments=arguments))
    ready: list[_Prepared] = []
    skipped: list[SkippedRow] = []
    for row in contest.rows:
        notice(f"preparing {row.name}")
        try:
            ready.append(_prepare(row, contest, checkpoint, folder))
        except (MissingDependencyError, DeviceUnavailableError) as error:
            notice(f"skipped {row.name}: {error}")
            skipped.append(SkippedRow(row=row.name, reason=str(error)))
    return ready, skipped


def _prepare(row: Row, contest: Contest, random: Path, folder: Path) -> _Prepared:
    facts: dict[str, Any] = {"versions": {}}
    own = own_network(row.peer)
    python = None if own is None else own.home.python()
    if row.training is not None:
        destination = folder
    elif row.peer is not None:
        destination = folder / row.name
        destination.mkdir()
        checkpoint = str(random) if own is None else None
        arguments = {"peer": row.peer, "checkpoint": checkpoint, "folder": str(destination)}
        opener = f"{_PEERS}:prepare_peer"
        facts |= _apart(Contestant(name=row.name, opener=opener, arguments=arguments, python=python))
    else:
        checkpoint = str(random if row.checkpoint is None else embedded_checkpoint(row.checkpoint))
        destination = folder / f"recipe-{row.recipe}-{row.checkpoint or 'random'}"  # Rows may share an artifact.
        if not destination.exists():
            options = {"checkpoint": checkpoint, "recipe": row.recipe, "folder": str(destination)}
            _apart(Contestant(name=row.name, opener=_EXPORT, arguments=options))
    prepared = _Prepared(row=row, folder=destination, contest=contest, python=python)
    opened = _apart(prepared.contestant(max(contest.threads), max(contest.batches)))
    return replace(prepared, facts=facts | opened)


def _measure_all(
    contest: Contest, ready: list[_Prepared], notice: Callable[[str], None], progress: Progress
) -> tuple[tuple[Cell, ...], tuple[RatioResult, ...]]:
    cells: list[Cell] = []
    ratios: list[RatioResult] = []
    conditions = [(threads, batch) for threads in contest.threads for batch in contest.batches]
    schedule = Schedule(
        seconds=contest.seconds,
        min_rounds=contest.min_rounds,
        warmup_runs=contest.warmup_runs,
        runs_per_turn=contest.runs_per_turn,
        seed=contest.seed,
    )
    for index, (threads, batch) in enumerate(conditions):
        notice(f"measuring: batch {batch}, threads {threads}")

        def part(share: float, done: int = index) -> None:
            progress((done + share) / len(conditions))

        measured = interleave([row.contestant(threads, batch) for row in ready], schedule, part)
        cells += [_cell(row, measured[row.row.name], threads, batch) for row in ready]
        ratios += _ratios(contest, measured, threads, batch)
    order = [spec.name for spec in contest.ratios]
    return tuple(cells), tuple(sorted(ratios, key=lambda ratio: (order.index(ratio.name), ratio.threads, ratio.batch)))


def _cell(prepared: _Prepared, measured: Measured, threads: int, batch: int) -> Cell:
    latency = summarize_latency(measured.nanoseconds.reshape(-1))
    return Cell(
        row=prepared.row.name,
        runtime=prepared.facts["runtime"],
        threads=threads,
        batch=batch,
        rounds=len(measured.nanoseconds),
        runs=latency.runs,
        latency_p50_ms=latency.p50_ms,
        latency_p90_ms=latency.p90_ms,
        latency_p99_ms=latency.p99_ms,
        model_size_bytes=prepared.facts["model_size_bytes"],
    )


def _ratios(contest: Contest, measured: dict[str, Measured], threads: int, batch: int) -> list[RatioResult]:
    """Compute the comparisons of one cell whose rows both ran."""
    results = []
    for spec in contest.ratios:
        if spec.ours not in measured or spec.against not in measured:
            continue
        found = ratio_of_p50(measured[spec.ours].nanoseconds, measured[spec.against].nanoseconds, seed=contest.seed)
        results.append(
            RatioResult(name=spec.name, threads=threads, batch=batch, ratio=found.value, interval_95=found.interval_95)
        )
    return results
