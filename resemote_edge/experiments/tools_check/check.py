"""Tools check: the p50 of ``resemote bench`` against that of ``resemote-edge bench --runtime native``, in turn.

Both measure the model alone, one crop after the other, through the same library and engine, on the same cores. In every
round each starts a fresh process; the first of a round is the second of the next, so that a machine whose speed drifts
favours neither.
"""

import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.record import Measured, Strict, read_record, utc_now
from resemote_edge.benchmarks.report.imported import import_report
from resemote_edge.benchmarks.report.table import table_text
from resemote_edge.errors import InputError
from resemote_edge.machine.environment import capture_environment
from resemote_edge.machine.pinning import choose_cores
from resemote_edge.measuring.results import BenchRow, SpeedJob
from resemote_edge.measuring.row import measure_row
from resemote_edge.measuring.scenarios import ScenarioSettings
from resemote_edge.runtimes.native.library import engine_library, load_library

__all__ = ["MARGIN", "ToolsCheck", "ToolsSubject", "check_tools", "read_tools_check", "tools_check_table"]

TOOLS_CHECK_SCHEMA = 1

#: Largest distance of the ratio from 1.
MARGIN = 0.05

_TIMEOUT_SECONDS = 600.0


class ToolsSubject(Strict, frozen=True, kw_only=True):
    """Findings about one artifact.

    Attributes:
        artifact: Name of the artifact.
        passport_sha256: Hash of its passport.
        file: File of the artifact that both ran.
        python_p50_ms: Medians of ``resemote-edge bench --runtime native``, one for each round.
        tool_p50_ms: Medians of ``resemote bench``, one for each round.
        ratio: Median over the rounds of the tool's p50 over Python's.
        ratio_range: Smallest and largest ratio of a round.
    """

    artifact: str
    passport_sha256: str
    file: str
    python_p50_ms: tuple[float, ...]
    tool_p50_ms: tuple[float, ...]
    ratio: float
    ratio_range: tuple[float, float]

    @property
    def agrees(self) -> bool:
        """Whether the ratio lies within `MARGIN` of 1."""
        return abs(self.ratio - 1.0) <= MARGIN


class ToolsCheck(Measured, frozen=True, kw_only=True, tag_field="kind", tag="tools-check"):
    """Findings about all artifacts.

    Attributes:
        threads: Number of CPU threads of the engines.
        rounds: Number of turns of each side.
        settings: Settings of the scenario single-stream, the same for both.
        subjects: Findings, one for each artifact.
    """

    schema: int = TOOLS_CHECK_SCHEMA
    threads: int
    rounds: int
    settings: ScenarioSettings
    subjects: tuple[ToolsSubject, ...]


#: Reads findings back; see `read_record`.
read_tools_check = partial(read_record, kind=ToolsCheck, what="a tools check", schema=TOOLS_CHECK_SCHEMA)


def check_tools(
    artifacts: Sequence[Artifact],
    program: Path,
    *,
    threads: int,
    rounds: int,
    settings: ScenarioSettings,
    notice: Callable[[str], None] = lambda text: None,
) -> ToolsCheck:
    """Measure every artifact with both.

    Args:
        artifacts: Artifacts that the library can run here.
        program: The program ``resemote``.
        threads: Number of CPU threads of the engines.
        rounds: Number of turns of each side.
        settings: Settings of the scenario single-stream.
        notice: Function called with what is measured.

    Raises:
        InputError: There is no such program, or it failed.
        ResEmoteEdgeError: A measurement in Python failed.
    """
    if not program.is_file():
        raise InputError(f"{program}: no such program", hint="run: make native")
    subjects = []
    for artifact in artifacts:
        pairs = []
        for number in range(rounds):
            notice(f"{artifact.passport.name}: round {number + 1} of {rounds}")
            sides = [
                partial(_python_row, artifact, threads, settings),
                partial(_tool_row, artifact, program, threads, settings),
            ]
            order = (0, 1) if number % 2 == 0 else (1, 0)
            found = {side: sides[side]() for side in order}
            pairs.append((found[0], found[1]))
        subjects.append(_subject(pairs))
    return ToolsCheck(
        created_utc=utc_now(),
        environment=capture_environment().to_dict(),
        threads=threads,
        rounds=rounds,
        settings=settings,
        subjects=tuple(subjects),
    )


def _subject(pairs: Sequence[tuple[BenchRow, BenchRow]]) -> ToolsSubject:
    ours, theirs = pairs[0]
    if ours.speed.file_sha256 != theirs.speed.file_sha256 or ours.speed.cores != theirs.speed.cores:
        where, there = (f"{row.speed.file} on cores {row.speed.cores}" for row in (ours, theirs))
        raise InputError(
            f"{ours.artifact}: Python ran {where}, and the program ran {there}",
            hint="build the library and the program again: make native",
        )
    ratios = [tool.speed.model.p50_ms / python.speed.model.p50_ms for python, tool in pairs]
    return ToolsSubject(
        artifact=ours.artifact,
        passport_sha256=ours.passport_sha256,
        file=ours.speed.file,
        python_p50_ms=tuple(python.speed.model.p50_ms for python, _ in pairs),
        tool_p50_ms=tuple(tool.speed.model.p50_ms for _, tool in pairs),
        ratio=float(np.median(ratios)),
        ratio_range=(min(ratios), max(ratios)),
    )


def _python_row(artifact: Artifact, threads: int, settings: ScenarioSettings) -> BenchRow:
    job = SpeedJob(
        artifact=str(artifact.path),
        runtime="native",
        device="auto",
        scenario="single-stream",
        settings=settings,
        threads=threads,
        cores=choose_cores(threads),
        batch=1,
    )
    return measure_row(artifact, job, timeout_s=_TIMEOUT_SECONDS, samples=None)


def _tool_row(artifact: Artifact, program: Path, threads: int, settings: ScenarioSettings) -> BenchRow:
    engines = {name: engine_library(name) for name in load_library().backends()}
    places = {f"RESEMOTE_{name.upper()}_LIBRARY": place for name, place in engines.items() if place}
    warmup = ["--warmup", settings.warmup_runs] if settings.warmup_seconds == 0.0 else []
    with tempfile.TemporaryDirectory(prefix="resemote-tools-check-") as folder:
        report = Path(folder) / "board.json"
        words = [
            *(program, "bench", artifact.path, "--batch", 1, "--threads", threads, "--preset", "standard"),
            *("--min-seconds", settings.min_seconds, "--min-runs", settings.min_runs, *warmup, "-o", report),
        ]
        done = subprocess.run(
            [str(word) for word in words], capture_output=True, text=True, check=False, env={**os.environ, **places}
        )
        if done.returncode != 0:
            raise InputError(f"{program} failed: {done.stderr.strip()[-500:]}", hint="run it by itself")
        (row,) = import_report(report).rows
    return row


def tools_check_table(found: ToolsCheck) -> str:
    """Write the findings as Markdown."""
    line = (
        f"Measured {found.created_utc[:10]} on {found.environment['cpu_model']}, {found.threads} threads, "
        f"{found.rounds} rounds of {found.settings.min_seconds:g} s for each.\n\n"
    )
    headers = ["artifact", "file", "Python p50 ms", "`resemote` p50 ms", "ratio", "of a round", "within 5 %"]
    rows = [
        [
            subject.artifact,
            subject.file,
            f"{np.median(subject.python_p50_ms):.3f}",
            f"{np.median(subject.tool_p50_ms):.3f}",
            f"{subject.ratio:.3f}",
            f"{subject.ratio_range[0]:.3f} to {subject.ratio_range[1]:.3f}",
            "yes" if subject.agrees else "no",
        ]
        for subject in found.subjects
    ]
    return line + table_text(headers, rows, words=headers[:2])
