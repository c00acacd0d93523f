"""Findings of the detector check: JSON and Markdown."""

from functools import partial

from resemote_edge.artifacts.record import Measured, Strict, read_record
from resemote_edge.benchmarks.report.table import table_text

__all__ = ["DETECTOR_CHECK_SCHEMA", "DetectorCheck", "DetectorRow", "detector_check_table", "read_detector_check"]

DETECTOR_CHECK_SCHEMA = 1


class DetectorRow(Strict, frozen=True, kw_only=True):
    """One detector in one runtime.

    Attributes:
        detector: Name of the detector.
        width: Columns that frames are scaled to.
        height: Rows that frames are scaled to.
        runtime: Runtime that ran it.
        found: Faces that were found of each width of `DetectorCheck.face_widths`.
        false_alarms: Boxes that are upon no face, in all frames together.
        frame_ms: Median time for one frame, with its scaling, milliseconds.
    """

    detector: str
    width: int
    height: int
    runtime: str
    found: tuple[int, ...]
    false_alarms: int
    frame_ms: float


class DetectorCheck(Measured, frozen=True, kw_only=True, tag_field="kind", tag="detector-check"):
    """Outcome of the check.

    Attributes:
        frames: Number of frames, each of 1280x720.
        threads: CPU threads of each detector.
        min_score: Score from which a box counts.
        face_widths: Widths of the drawn faces, pixels.
        faces: Number of faces of each width.
        rows: The detectors, each in each runtime.
    """

    schema: int = DETECTOR_CHECK_SCHEMA
    frames: int
    threads: int
    min_score: float
    face_widths: tuple[int, ...]
    faces: tuple[int, ...]
    rows: tuple[DetectorRow, ...]


#: Reads a detector check back; see `read_record`.
read_detector_check = partial(read_record, kind=DetectorCheck, what="a detector check", schema=DETECTOR_CHECK_SCHEMA)


def detector_check_table(found: DetectorCheck) -> str:
    """Write the findings as Markdown."""
    packages = found.environment["packages"]
    runtimes = dict.fromkeys(row.runtime for row in found.rows)
    versions = ", ".join(f"{name} {packages.get(name, '')}".strip() for name in runtimes)
    line = (
        f"Measured {found.created_utc[:10]} on {found.environment['cpu_model']}, {versions}, threads: {found.threads}; "
        f"{found.frames} frames of 1280x720 with {sum(found.faces)} drawn people; boxes that score {found.min_score:g} "
        "and more.\n\n"
    )
    headers = [
        "detector",
        "runtime",
        *(f"faces of {width} px" for width in found.face_widths),
        "false alarms a frame",
        "ms a frame, p50",
    ]
    rows = [
        [
            f"{row.detector} {row.width}x{row.height}",
            row.runtime,
            *(f"{count / faces:.2f}" for count, faces in zip(row.found, found.faces, strict=True)),
            f"{row.false_alarms / found.frames:.3f}",
            f"{row.frame_ms:.1f}",
        ]
        for row in found.rows
    ]
    return line + table_text(headers, rows, words=headers[:2])
