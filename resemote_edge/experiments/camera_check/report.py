"""Findings of the camera check: JSON and Markdown."""

from collections.abc import Sequence
from functools import partial

from resemote_edge.artifacts.record import Measured, Strict, read_record
from resemote_edge.benchmarks.report.table import table_text
from resemote_edge.camera.summary import CameraSummary, SinkSummary

__all__ = [
    "CAMERA_CHECK_SCHEMA",
    "CameraCheck",
    "Restarts",
    "Scene",
    "SlowSinks",
    "Steadiness",
    "camera_check_table",
    "read_camera_check",
]

CAMERA_CHECK_SCHEMA = 1


class Scene(Strict, frozen=True, kw_only=True):
    """One run on a stream of 1280x720 at 30 frames a second.

    Attributes:
        faces: People in view.
        seconds: Length of the run, seconds.
        slowed: Factor by which both networks took longer, to stand in for a slower machine.
        summary: What became of the frames.
        processing_ms: Median time of a decision, from taking the frame on, milliseconds.
        memory_growth_mb: Resident memory at the end, less that after a quarter of the run, MB.
        threads_growth: The same for the number of threads.
        descriptors_growth: The same for open file descriptors.
    """

    faces: int
    seconds: float
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


class SlowSinks(Strict, frozen=True, kw_only=True):
    """The same frames with a file alone as sink, and with sinks that take nothing, in turns.

    Attributes:
        fps_alone: Decisions a second with the file alone, of each turn.
        fps_with: Decisions a second with the others as well.
        sinks: What became of the results in the last turn with the others.
    """

    fps_alone: tuple[float, ...]
    fps_with: tuple[float, ...]
    sinks: tuple[SinkSummary, ...]


class Steadiness(Strict, frozen=True, kw_only=True):
    """What changes on a disturbed film of drawn people, whose truth is known.

    Attributes:
        way: How the film was decided.
        faces: People in view.
        seconds: Length of the film.
        label_changes_per_minute: Changes of the label that is shown, for each face and minute.
        true_changes_per_minute: The same of the label that the network gives the face undisturbed.
        id_switches_per_minute: Changes of the number that a face has, for each face and minute.
        box_shake_px: Movement of the box against the face from one frame to the next, root mean square, pixels.
        followed_p50_s: Median time from a change of the drawn expression to the label that is meant, seconds; None if
            no change was followed.
        followed_p95_s: 95th percentile of it.
        followed: Number of changes that were followed before the next one.
        not_followed: Number of changes that were not.
    """

    way: str
    faces: int
    seconds: float
    label_changes_per_minute: float
    true_changes_per_minute: float
    id_switches_per_minute: float
    box_shake_px: float
    followed_p50_s: float | None
    followed_p95_s: float | None
    followed: int
    not_followed: int


class CameraCheck(Measured, frozen=True, kw_only=True, tag_field="kind", tag="camera-check"):
    """Outcome of the check.

    Attributes:
        classifier: Name of the classifier's artifact.
        classifier_runtime: Runtime that ran it.
        detector: Name of the detector.
        scenes: Runs, one after the other.
        restarts: The run through restarts; None if it was left out.
        slow_sinks: The run with sinks that take nothing; None if it was left out.
        steadiness: The film, decided frame by frame and as the camera command does.
    """

    schema: int = CAMERA_CHECK_SCHEMA
    classifier: str
    classifier_runtime: str
    detector: str
    scenes: tuple[Scene, ...]
    restarts: Restarts | None = None
    slow_sinks: SlowSinks | None = None
    steadiness: tuple[Steadiness, ...] = ()


#: Reads a camera check back; see `read_record`.
read_camera_check = partial(read_record, kind=CameraCheck, what="a camera check", schema=CAMERA_CHECK_SCHEMA)


def camera_check_table(found: CameraCheck) -> str:
    """Write the findings as Markdown."""
    packages = found.environment["packages"]
    runtime = f"{found.classifier_runtime} {packages.get(found.classifier_runtime, '')}".strip()
    line = (
        f"Measured {found.created_utc[:10]} on {found.environment['cpu_model']}, "
        f"{found.environment['cores_allowed']} cores, which served the stream as well: `{found.classifier}` and "
        f"{found.detector} in {runtime}, 1280x720 at 30 frames a second over RTSP.\n\n"
    )
    headers = [
        "faces",
        "s",
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
        "streams opened again",
    ]
    text = line + table_text(headers, map(_cells, found.scenes), words=())
    if (restarts := found.restarts) is not None and restarts.back_s:
        text += (
            f"\nThe server was killed {restarts.kills} times at random moments. Decisions came again "
            f"{min(restarts.back_s):.1f} to {max(restarts.back_s):.1f} s after its return, for "
            f"{len(restarts.back_s)} of {restarts.kills} returns. Largest number of tracks "
            f"alive at once, with one person in view: {restarts.tracks_at_once}.\n"
        )
    if found.slow_sinks is not None:
        text += "\n" + _slow_sinks_text(found.slow_sinks)
    if found.steadiness:
        text += "\n" + _steadiness_text(found.steadiness)
    return text


def _cells(scene: Scene) -> list[str]:
    summary, age = scene.summary, scene.summary.decision_age
    ages = ["-"] * 3 if age is None else [f"{value:.1f}" for value in (age.p50_ms, age.p95_ms, age.p99_ms)]
    return [
        str(scene.faces),
        f"{scene.seconds:g}",
        "-" if scene.slowed == 1 else f"{scene.slowed} times",
        "-" if summary.fps is None else f"{summary.fps:.1f}",
        f"{summary.detect_every}.",
        str(sum(summary.dropped.values())),
        f"{scene.processing_ms:.1f}",
        *ages,
        f"{scene.memory_growth_mb:+.1f}",
        f"{scene.threads_growth:+d}",
        f"{scene.descriptors_growth:+d}",
        str(summary.restarts),
    ]


def _slow_sinks_text(found: SlowSinks) -> str:
    ratio = sum(found.fps_with) / sum(found.fps_alone)
    fates = [
        f"`{sink.sink.partition(':')[0]}` lost {sum(sink.lost.values())} results and events, and wrote {sink.written}"
        for sink in found.sinks[1:]
    ]
    return (
        f"With sinks on the other end of which nobody reads, {ratio:.3f} times as many frames were decided a second as "
        f"with a file alone ({len(found.fps_with)} runs of each, in turns). All that was lost is counted: "
        f"{'; '.join(fates)}.\n"
    )


def _steadiness_text(found: Sequence[Steadiness]) -> str:
    first = found[0]
    line = (
        f"On a disturbed film of {first.faces} drawn people ({first.seconds:g} s; noise, shaking, blur, hidden faces), "
        f"where the label that is meant changes {first.true_changes_per_minute:.1f} times a minute for each face:\n\n"
    )
    headers = [
        "",
        "label changes a minute",
        "id switches a minute",
        "box against face, px",
        "followed after s, p50",
        "p95",
        "not followed",
    ]
    rows = [
        [
            one.way,
            f"{one.label_changes_per_minute:.1f}",
            f"{one.id_switches_per_minute:.1f}",
            f"{one.box_shake_px:.2f}",
            *("-" if value is None else f"{value:.2f}" for value in (one.followed_p50_s, one.followed_p95_s)),
            f"{one.not_followed} of {one.followed + one.not_followed}",
        ]
        for one in found
    ]
    return line + table_text(headers, rows, words=("",))
