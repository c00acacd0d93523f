"""Results of comparing the C library with the Python package and the engines' own APIs: JSON and Markdown."""

from collections.abc import Iterable
from functools import partial

from resemote_edge.artifacts.record import Measured, Record, read_record
from resemote_edge.benchmarks.report.table import table_text

__all__ = [
    "MOST_MODEL_BYTES",
    "NATIVE_VALIDITY_SCHEMA",
    "NativeSubject",
    "NativeValidity",
    "SplitParity",
    "native_validity_table",
    "read_native_validity",
]

NATIVE_VALIDITY_SCHEMA = 1

#: Size of the largest model that fits, roughly, into a CPU's last cache.
MOST_MODEL_BYTES = 8_000_000


class SplitParity(Record, frozen=True, kw_only=True):
    """The library compared with Python on the same engine, image by image.

    Attributes:
        data: Name of the dataset and split.
        images: Number of images.
        other_top_class: Number of images whose most probable class is another.
        max_probability_difference: Largest difference of a probability.
    """

    data: str
    images: int
    other_top_class: int
    max_probability_difference: float


class NativeSubject(Record, frozen=True, kw_only=True):
    """Findings about one artifact.

    Attributes:
        artifact: Name of the artifact.
        passport_sha256: Hash of its passport.
        backend: Name of the engine, and its version.
        session_overhead_us: Median of ``resemote_session_run`` minus median of the engine's own C API, for one crop, in
            turn in one process. None above `MOST_MODEL_BYTES`, where the place of each side's weights in memory makes
            more difference than the overhead.
        session_overhead_interval_us: Interval of the overhead, 95 %, by bootstrap.
        native_frame_ms: Time (p50) from a frame with its faces to their decisions, in C.
        python_over_native: Ratio of Python's time for that to the library's, with the same engine and threads.
        python_over_native_interval: Interval of the ratio, 95 %, by bootstrap.
        parity: Comparison with Python; None if no data was given.
    """

    artifact: str
    passport_sha256: str
    backend: str
    session_overhead_us: float | None
    session_overhead_interval_us: tuple[float, float] | None
    native_frame_ms: float
    python_over_native: float
    python_over_native_interval: tuple[float, float]
    parity: SplitParity | None = None


class NativeValidity(Measured, frozen=True, kw_only=True, tag_field="kind", tag="native-validity"):
    """Findings about all artifacts.

    Attributes:
        threads: Number of CPU threads of the engines, for frames and images; sessions are timed on one.
        faces: Number of faces in a frame.
        frame: Description of the frame.
        library_bytes: Size of the library, stripped.
        subjects: Findings, one for each artifact.
    """

    schema: int = NATIVE_VALIDITY_SCHEMA
    threads: int
    faces: int
    frame: str
    library_bytes: int
    subjects: tuple[NativeSubject, ...]


#: Reads a native-validity summary back; see `read_record`.
read_native_validity = partial(
    read_record, kind=NativeValidity, what="a native-validity summary", schema=NATIVE_VALIDITY_SCHEMA
)


def native_validity_table(found: NativeValidity) -> str:
    """Write the findings as Markdown."""
    line = (
        f"Measured {found.created_utc[:10]} on {found.environment['cpu_model']}, {found.threads} threads, "
        f"{found.frame}; the library has {found.library_bytes / 1000:.0f} kB.\n\n"
    )
    headers = [
        "artifact",
        "backend",
        "session over the engine's C API, us",
        f"a frame of {found.faces} faces, Python over native",
        "native ms",
        "images",
        "another top class",
        "largest difference of a probability",
    ]
    return line + table_text(headers, _rows(found.subjects), words=headers[:2])


def _rows(subjects: Iterable[NativeSubject]) -> Iterable[list[str]]:
    for subject in subjects:
        overhead = "not measured"
        if subject.session_overhead_us is not None and subject.session_overhead_interval_us is not None:
            low, high = subject.session_overhead_interval_us
            overhead = f"{subject.session_overhead_us:.1f} ({low:.1f} to {high:.1f})"
        slower, faster = subject.python_over_native_interval
        parity = subject.parity
        cells = ["not measured"] * 3
        if parity is not None:
            cells = [str(parity.images), str(parity.other_top_class), f"{parity.max_probability_difference:.1e}"]
        yield [
            subject.artifact,
            subject.backend,
            overhead,
            f"{subject.python_over_native:.2f} ({slower:.2f} to {faster:.2f})",
            f"{subject.native_frame_ms:.2f}",
            *cells,
        ]
