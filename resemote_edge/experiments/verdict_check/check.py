"""Comparison validity: how often ``bench compare --live`` is right if the answer is known.

An artifact is compared many times with itself, and with itself slowed by a known factor. Every comparison is kept, so
that an interrupted check can continue. It ends with ``summary.json`` and ``summary.md``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from resemote_edge.artifacts.artifact import file_sha256
from resemote_edge.artifacts.files import write_file
from resemote_edge.artifacts.passport_base import PASSPORT_NAME
from resemote_edge.artifacts.record import utc_now
from resemote_edge.benchmarks.compare.text import interval_text
from resemote_edge.benchmarks.suite.clock import duration_text
from resemote_edge.errors import InputError
from resemote_edge.experiments.verdict_check.report import (
    ComparisonValidity,
    Planted,
    Trial,
    comparison_validity_markdown,
    count_verdicts,
    passed,
)
from resemote_edge.machine.environment import capture_environment
from resemote_edge.measuring.comparison.live import LIVE_MARGIN, LIVE_RESTARTS, LIVE_SECONDS, LiveRequest, compare_live
from resemote_edge.measuring.comparison.live_results import LiveComparison, read_live_comparison
from resemote_edge.runtimes.registry import choose_runtime, get_runtime
from resemote_edge.runtimes.session import SessionOptions

__all__ = ["COMPARISONS_FOLDER", "SLOW_DOWN", "SUMMARY_FILES", "Experiment", "run_experiment"]

#: Names of the files that are written at the end.
SUMMARY_FILES = ("summary.json", "summary.md")

#: Folder beside them in which every comparison is kept.
COMPARISONS_FOLDER = "comparisons"

#: Factor that B is slowed by.
SLOW_DOWN = 1.10

#: Time to open the processes of a comparison, for the first estimate.
_OPENING_SECONDS = 15.0


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """The comparisons to make.

    Attributes:
        request: Request of every comparison; its `slow_b_by` and `seed` are set for each.
        count: Number of comparisons of each kind.
        slow_down: Planted factor, above 1.
        folder: Folder of everything that is kept.
    """

    request: LiveRequest
    count: int
    slow_down: float
    folder: Path


@dataclass(frozen=True, kw_only=True)
class _Planned:
    """One comparison that is planned.

    Attributes:
        planted: Difference that is known beforehand.
        request: Comparison to make.
        path: Path where it is kept.
    """

    planted: Planted
    request: LiveRequest
    path: Path


def run_experiment(experiment: Experiment, notice: Callable[[str], None]) -> ComparisonValidity:
    """Make every comparison that is not kept yet, and write the summary of all.

    Args:
        experiment: Comparisons to make.
        notice: Function called with what happens, one line at a time.

    Raises:
        InputError: A number makes no sense, or the folder keeps comparisons of something else or with other settings.
        ResEmoteEdgeError: The artifact cannot run here, or a comparison failed; those before it are kept.
    """
    request = _resolved(experiment.request)
    experiment = replace(experiment, request=request)
    if experiment.count < 1:
        raise InputError(f"an experiment needs at least one comparison of each kind, got {experiment.count}")
    if not experiment.slow_down > 1.0 + request.margin:
        raise InputError(
            f"a slow-down by {experiment.slow_down:g} is within the margin of {request.margin:g}, so that nothing "
            "should be found",
            hint="plant a larger one",
        )
    planned = list(_plan(experiment))
    expected = _facts_expected(request)
    kept = {one.path: _kept(one, expected) for one in planned if one.path.exists()}
    if kept:
        notice(f"{len(kept)} of {len(planned)} comparisons are kept in {experiment.folder}")
    _measure([one for one in planned if one.path not in kept], kept, notice)
    trials = tuple(_trial(one.planted, kept[one.path]) for one in planned)
    summary = _summary(experiment, kept[planned[0].path], trials)
    data, text = (experiment.folder / name for name in SUMMARY_FILES)
    write_file(data, summary.to_json())
    write_file(text, comparison_validity_markdown(summary))
    return summary


def _resolved(request: LiveRequest) -> LiveRequest:
    """Name the request's runtime, which is compared with that of kept comparisons."""
    if request.runtime != "auto":
        return request
    options = SessionOptions(device=request.device, threads=request.effective_threads)
    return replace(request, runtime=choose_runtime(request.a, options))


def _plan(experiment: Experiment) -> Iterator[_Planned]:
    """Plan both kinds in turn, so that changes of the machine affect both."""
    kinds: tuple[tuple[Planted, float], ...] = (("nothing", 1.0), ("slow-down", experiment.slow_down))
    for number in range(experiment.count):
        for planted, factor in kinds:
            yield _Planned(
                planted=planted,
                request=replace(experiment.request, slow_b_by=factor, seed=number),
                path=experiment.folder / COMPARISONS_FOLDER / f"{planted}-{number + 1:02d}.json",
            )


def _measure(waiting: Sequence[_Planned], kept: dict[Path, LiveComparison], notice: Callable[[str], None]) -> None:
    """Make comparisons, and keep each at once."""
    for number, one in enumerate(waiting):
        taken = [comparison.total_seconds for comparison in kept.values()]
        each = sum(taken) / len(taken) if taken else one.request.seconds + _OPENING_SECONDS
        notice(f"{one.path.stem}: begins; about {duration_text(each * (len(waiting) - number))} left")
        comparison = compare_live(one.request).comparison
        write_file(one.path, comparison.to_json())
        kept[one.path] = comparison
        trial = _trial(one.planted, comparison)
        notice(
            f"{one.path.stem}: {'right' if trial.right else 'WRONG'}: {trial.verdict}, {trial.ratio:.3f} "
            f"({interval_text(trial.interval)}), {trial.total_seconds:.0f} s"
        )


def _kept(one: _Planned, expected: dict[str, Any]) -> LiveComparison:
    """Read a comparison that an earlier run kept.

    Raises:
        InputError: The comparison cannot be read, or is of something else.
    """
    comparison = read_live_comparison(one.path)
    expected = expected | {"slow-down": one.request.slow_b_by}
    found = _facts_of(comparison)
    different = [f"{name} {found[name]}, now {value}" for name, value in expected.items() if found[name] != value]
    if different:
        raise InputError(f"{one.path}: was measured otherwise ({'; '.join(different)})", hint="pass another -o")
    return comparison


def _facts_expected(request: LiveRequest) -> dict[str, Any]:
    """Facts that every comparison of the experiment has in common."""
    passport = file_sha256(request.a.path / PASSPORT_NAME)
    return {
        "passports": (passport, passport),
        "runtime": f"{request.runtime} {get_runtime(request.runtime).probe().version or 'unknown'}",
        "processor": capture_environment().cpu_model,
        "threads": request.effective_threads,
        "batch": request.batch,
        "timed": request.quantity,
        "margin": request.margin,
        "restarts": request.restarts,
        "seconds": request.seconds,
    }


def _facts_of(comparison: LiveComparison) -> dict[str, Any]:
    return {
        "passports": (comparison.a.passport_sha256, comparison.b.passport_sha256),
        "runtime": comparison.a.runtime,
        "processor": comparison.environment["cpu_model"],
        "threads": comparison.threads,
        "batch": comparison.batch,
        "timed": comparison.quantity,
        "margin": comparison.margin,
        "restarts": len(comparison.restarts),
        "seconds": comparison.measuring_seconds,
        "slow-down": comparison.b.slowed_by,
    }


def _trial(planted: Planted, comparison: LiveComparison) -> Trial:
    return Trial(
        planted=planted,
        created_utc=comparison.created_utc,
        load_average_1m=comparison.environment["load_average_1m"],
        verdict=comparison.verdict,
        ratio=comparison.ratio,
        interval=comparison.interval,
        total_seconds=comparison.total_seconds,
    )


def _summary(experiment: Experiment, first: LiveComparison, trials: tuple[Trial, ...]) -> ComparisonValidity:
    request = experiment.request
    chosen = (request.margin, request.restarts, request.seconds)
    return ComparisonValidity(
        created_utc=utc_now(),
        environment=capture_environment().to_dict(),
        artifact=first.a.artifact,
        passport_sha256=first.a.passport_sha256,
        runtime=first.a.runtime,
        device=first.a.device,
        threads=first.threads,
        cores=first.cores,
        batch=first.batch,
        quantity=first.quantity,
        slowed_by=experiment.slow_down,
        margin=request.margin,
        restarts=request.restarts,
        measuring_seconds=request.seconds,
        default_settings=chosen == (LIVE_MARGIN, LIVE_RESTARTS, LIVE_SECONDS),
        verdicts=count_verdicts(trials),
        passed=passed(trials),
        trials=trials,
    )
