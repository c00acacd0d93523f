"""Findings of the camera check: JSON and Markdown."""

from functools import partial

from resemote_edge.artifacts.record import Measured, Strict, read_record
from resemote_edge.benchmarks.report.table import table_text
from resemote_edge.camera.summary import CameraSummary

__all__ = ["CAMERA_CHECK_SCHEMA", "CameraCheck", "Restarts", "Scene", "camera_check_table", "read_camera_check"]

CAMERA_CHECK_SCHEMA = 1


class Scene(Strict, frozen=True, kw_only=True):
    """One run on a stream of 1280x720 at 30 frames a second.

    Attributes:
        faces: People in view.
        slowed: Factor by which both networks took longer, to stand in for a slower machine.
        summary: What became of the frames.
        processing_ms: Median time of a decision, from taking the frame on, milliseconds.
        memory_growth_mb: Resident memory at the end, less that after a quarter of the run, MB.
        threads_growth: The same for the number of threads.
        descriptors_growth: The same for open file descriptors.
    """

    faces: int
    slowed: int
    summary: CameraSummary
    processing_ms: float
    memory_growth_mb: float
    threads_growth: int
    descriptors_growth: int


class Restarts(Strict, frozen=True, kw_only=True):
    """A server that is killed and started again at random moments.

    Attributes:
        kills: Number of times that it was killed.
        back_s: Time from each return of the server to the next decision, seconds.
        summary: What became of the frames.
        tracks_at_once: Largest number of tracks of one frame; there is one person in view.
    """

    kills: int
    back_s: tuple[float, ...]
    summary: CameraSummary
    tracks_at_once: int


class CameraCheck(Measured, frozen=True, kw_only=True, tag_field="kind", tag="camera-check"):
    """Outcome of the check.

    Attributes:
        classifier: Name of the classifier's artifact.
        classifier_runtime: Runtime that ran it.
        detector: Name of the detector.
        seconds: Length of each scene, seconds.
        scenes: Runs, one after the other.
        restarts: The run through restarts; None if it was left out.
    """

    schema: int = CAMERA_CHECK_SCHEMA
    classifier: str
    classifier_runtime: str
    detector: str
    seconds: float
    scenes: tuple[Scene, ...]
    restarts: Restarts | None


#: Reads a camera check back; see `read_record`.
read_camera_check = partial(read_record, kind=CameraCheck, what="a camera check", schema=CAMERA_CHECK_SCHEMA)


def camera_check_table(found: CameraCheck) -> str:
    """Write the findings as Markdown."""
    packages = found.environment["packages"]
    runtime = f"{found.classifier_runtime} {packages.get(found.classifier_runtime, '')}".strip()
    line = (
        f"Measured {found.created_utc[:10]} on {found.environment['cpu_model']}, "
        f"{found.environment['cores_allowed']} cores, which served the stream as well: `{found.classifier}` and "
        f"{found.detector} in {runtime}, 1280x720 at 30 frames a second over RTSP, "
        f"{found.seconds:g} s for each row.\n\n"
    )
    headers = [
        "faces",
        "networks slowed",
        "decisions a second",
        "detected in each",
        "dropped",
        "decision ms, p50",
        "age ms, p50",
        "age ms, p95",
        "age ms, p99",
        "memory MB",
        "threads",
        "descriptors",
    ]
    text = line + table_text(headers, map(_cells, found.scenes), words=())
    if (restarts := found.restarts) is not None and restarts.back_s:
        text += (
            f"\nThe server was killed {restarts.kills} times at random moments. Decisions came again "
            f"{min(restarts.back_s):.1f} to {max(restarts.back_s):.1f} s after its return, for "
            f"{len(restarts.back_s)} of {restarts.kills} returns. Largest number of tracks "
            f"alive at once, with one person in view: {restarts.tracks_at_once}.\n"
        )
    return text


def _cells(scene: Scene) -> list[str]:
    summary, age = scene.summary, scene.summary.decision_age
    ages = ["-"] * 3 if age is None else [f"{value:.1f}" for value in (age.p50_ms, age.p95_ms, age.p99_ms)]
    return [
        str(scene.faces),
        "-" if scene.slowed == 1 else f"{scene.slowed} times",
        "-" if summary.fps is None else f"{summary.fps:.1f}",
        f"{summary.detect_every}.",
        str(sum(summary.dropped.values())),
        f"{scene.processing_ms:.1f}",
        *ages,
        f"{scene.memory_growth_mb:+.1f}",
        f"{scene.threads_growth:+d}",
        f"{scene.descriptors_growth:+d}",
    ]
