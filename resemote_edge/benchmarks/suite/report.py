"""suite_report: the report of a suite, from the rows that are there."""

import datetime
import hashlib
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from resemote_edge.benchmarks.suite.plan import Step
from resemote_edge.benchmarks.suite.rows import KeptFailure, KeptRow, KeptSpeed, KeptValidity
from resemote_edge.benchmarks.suite.runner import Bench
from resemote_edge.measuring.results import AccuracyResult, BenchReport, BenchRow, SuiteState, Unmeasured

__all__ = ["suite_report"]


def suite_report(
    bench: Bench, steps: Sequence[Step], unmeasured: Sequence[Unmeasured], kept: Mapping[str, KeptRow]
) -> BenchReport:
    """Assemble the report from the rows that are there.

    Args:
        bench: Settings and facts that steps share.
        steps: Steps of the suite, all of them.
        unmeasured: Combinations that cannot be measured here.
        kept: Results of the steps, by stem.

    Returns:
        The report; `BenchReport.suite` tells how many rows are missing.
    """
    # Rows of one artifact come together, whatever turns they took. An artifact that is not exported has no row yet.
    pairs = list(dict.fromkeys((step.entry.name, step.runtime) for step in steps))
    ordered = sorted(steps, key=lambda step: pairs.index((step.entry.name, step.runtime)))
    found = [kept[step.stem] for step in ordered if step.entry.opened is not None and step.stem in kept]
    accuracies = {
        (step.entry.name, step.runtime): kept[step.stem].found
        for step in ordered
        if step.kind == "accuracy" and step.entry.opened is not None and step.stem in kept
    }
    rows = [_with_accuracy(one.found.row, accuracies) for one in found if isinstance(one.found, KeptSpeed)]
    suite = bench.loaded.suite
    return BenchReport(
        created_utc=datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        environment=bench.environment.to_dict(),
        inputs=bench.inputs,
        accuracy_data=next((row.accuracy.dataset for row in rows if row.accuracy is not None), None),
        settings=suite.effective_settings,
        rows=tuple(rows),
        unmeasured=(*unmeasured, *(one.found.unmeasured for one in found if isinstance(one.found, KeptFailure))),
        validity=tuple(one.found.validity for one in found if isinstance(one.found, KeptValidity)),
        suite=SuiteState(
            name=suite.name,
            description=suite.description,
            sha256=hashlib.sha256(bench.loaded.content).hexdigest(),
            planned=len(steps),
            missing=len(steps) - len(found),
            notes=tuple(_notes(bench, steps, found)),
        ),
    )


def _with_accuracy(row: BenchRow, accuracies: Mapping[tuple[str, str], object]) -> BenchRow:
    """Add to the row the accuracy of the same file in the same runtime, if there is one."""
    found = accuracies.get((row.artifact, row.runtime))
    if isinstance(found, AccuracyResult) and found.file_sha256 == row.speed.file_sha256:
        return msgspec.structs.replace(row, accuracy=found.report)
    return row


def _notes(bench: Bench, steps: Sequence[Step], found: Sequence[KeptRow]) -> Iterator[str]:
    commits = sorted({row.git_commit for row in found if row.git_commit is not None})
    if len(commits) > 1:
        yield f"Rows were measured at different commits of the package: {', '.join(commits)}."
    known = {step.stem for step in steps if step.entry.opened is not None}
    others = [stem for stem in bench.folder.stems() if stem not in known]
    if others and len(known) == len(steps):
        yield (
            f"{len(others)} rows in the folder are not in the suite as it is now, and left out: "
            f"{', '.join(others[:3])}{', ...' if len(others) > 3 else ''}."
        )
