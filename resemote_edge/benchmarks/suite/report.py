"""bench_report: assembles the report of a suite from its finished rows; suite_state: how far the suite has run."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from resemote_edge.artifacts.record import utc_now
from resemote_edge.benchmarks.suite.file import LoadedSuite
from resemote_edge.benchmarks.suite.plan import Step, SuitePlan
from resemote_edge.benchmarks.suite.rows import KeptFailure, KeptRow, KeptSpeed, KeptValidity, SuiteFolder
from resemote_edge.benchmarks.suite.runner import Bench
from resemote_edge.measuring.results import AccuracyResult, BenchReport, BenchRow, SuiteState

__all__ = ["bench_report", "suite_state"]


def bench_report(bench: Bench, plan: SuitePlan, kept: Mapping[str, KeptRow]) -> BenchReport:
    """Assemble the report from the finished rows.

    Args:
        bench: Settings and facts that steps share.
        plan: Plan of the suite.
        kept: Results of the steps, by stem.
    """
    # Rows of one artifact stand together, although artifacts took turns.
    pairs = list(dict.fromkeys((step.entry.name, step.runtime) for step in plan.steps))
    ordered = sorted(plan.steps, key=lambda step: pairs.index((step.entry.name, step.runtime)))
    done = _done(ordered, kept)
    found = [row for _, row in done]
    accuracies = {(step.entry.name, step.runtime): row.found for step, row in done if step.kind == "accuracy"}
    rows = [_with_accuracy(one.found.row, accuracies) for one in found if isinstance(one.found, KeptSpeed)]
    return BenchReport(
        created_utc=utc_now(),
        environment=bench.environment.to_dict(),
        inputs=bench.inputs,
        accuracy_data=next((row.accuracy.dataset for row in rows if row.accuracy is not None), None),
        settings=bench.suite.effective_settings,
        rows=tuple(rows),
        unmeasured=(*plan.unmeasured, *(one.found.unmeasured for one in found if isinstance(one.found, KeptFailure))),
        validity=tuple(one.found.validity for one in found if isinstance(one.found, KeptValidity)),
    )


def suite_state(loaded: LoadedSuite, folder: SuiteFolder, plan: SuitePlan, kept: Mapping[str, KeptRow]) -> SuiteState:
    """Tell how far a suite has run, with caveats about its figures; arguments as for `bench_report`."""
    found = [row for _, row in _done(plan.steps, kept)]
    return SuiteState(
        name=loaded.suite.name,
        description=loaded.suite.description,
        sha256=hashlib.sha256(loaded.content).hexdigest(),
        planned=len(plan.steps),
        missing=len(plan.steps) - len(found),
        notes=tuple(_notes(folder, plan.steps, found)),
    )


def _done(steps: Iterable[Step], kept: Mapping[str, KeptRow]) -> list[tuple[Step, KeptRow]]:
    """Steps with their rows; an artifact that is not exported has no row yet."""
    return [(step, kept[step.stem]) for step in steps if step.entry.opened is not None and step.stem in kept]


def _with_accuracy(row: BenchRow, accuracies: Mapping[tuple[str, str], object]) -> BenchRow:
    """Add to the row the accuracy of the same file in the same runtime, if there is one."""
    found = accuracies.get((row.artifact, row.runtime))
    if isinstance(found, AccuracyResult) and found.file_sha256 == row.speed.file_sha256:
        return msgspec.structs.replace(row, accuracy=found.report)
    return row


def _notes(folder: SuiteFolder, steps: Sequence[Step], found: Sequence[KeptRow]) -> Iterator[str]:
    commits = sorted({row.git_commit for row in found if row.git_commit is not None})
    if len(commits) > 1:
        yield f"Rows were measured at different commits of the package: {', '.join(commits)}."
    known = {step.stem for step in steps if step.entry.opened is not None}
    others = [stem for stem in folder.stems() if stem not in known]
    if others and len(known) == len(steps):
        yield (
            f"{len(others)} rows in the folder are not in the suite as it is now, and left out: "
            f"{', '.join(others[:3])}{', ...' if len(others) > 3 else ''}."
        )
