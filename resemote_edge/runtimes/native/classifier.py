"""NativeClassifier: frames with boxes in, expressions out, all of it inside the C library."""

import ctypes
import os
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.classifier import Emotion
from resemote_edge.errors import InputError, SessionClosedError
from resemote_edge.runtimes.native import structs
from resemote_edge.runtimes.native.library import NOT_READY, load_library
from resemote_edge.runtimes.session import SessionOptions
from resemote_edge.vision.frame import Box, Edges, Frame

__all__ = ["NativeClassifier", "NativeResult"]

_INT32 = 1 << 31

_EDGES: dict[Edges, int] = {"cut": 0, "replicated": 1}

_FORMATS = {"gray": 0, "rgb": 1, "bgr": 2, "nv12": 3, "yuyv": 4}


@dataclass(frozen=True)
class NativeResult:
    """Outcome of a submission.

    Attributes:
        tag: Tag of the submission.
        emotions: Decisions, one per box.
        dropped: Number of submissions and results dropped since the last result that was fetched.
        timestamp_ns: Timestamp of the submission.
        pending: Number of submissions and results that are still on the way after this one.
    """

    tag: int
    emotions: list[Emotion]
    dropped: int
    timestamp_ns: int
    pending: int


class NativeClassifier:
    """Classifies the faces of frames; the crop, the colour conversion and the resize happen in C.

    Its decisions are those of `EmotionClassifier.classify_frame` on the same engine. Threads that share a classifier
    take turns; `close` it or use it as a context manager. A process that is forked afterwards opens its own.

    Args:
        artifact: Folder made by ``resemote-edge export``.
        device: Device, as for `load`.
        threads: Number of CPU threads; None leaves it to the engine.
        max_faces: Largest number of boxes in one call.
        queue_depth: Largest number of submissions that wait, and of results that wait; when one more comes, the oldest
            is dropped. Memory for it is allocated here. 0 makes no queue, and so no `submit`.
        edges: What becomes of a box that reaches over the frame's border, as for `classify_frame`.

    Attributes:
        passport: Passport of the artifact.
        backend: Name of the engine that runs.
        device: Device it runs on.

    Raises:
        MissingDependencyError: The library is not built.
        DeviceUnavailableError: No backend runs the artifact on this device.
        ArtifactError: The artifact is not whole.
    """

    def __init__(
        self,
        artifact: str | Path,
        *,
        device: str = "auto",
        threads: int | None = None,
        max_faces: int = 16,
        queue_depth: int = 2,
        edges: Edges = "cut",
    ) -> None:
        opened = Artifact.load(artifact)
        self.passport = opened.passport
        self._library = load_library()
        SessionOptions(threads=threads)  # refuses what no session takes
        sizes = structs.sized(structs.ClassifierOptions)
        if edges not in _EDGES:
            raise InputError(f"unknown edges {edges!r}", hint=f"pass one of {', '.join(_EDGES)}")
        sizes.max_faces, sizes.queue_depth, sizes.edges = max_faces, queue_depth, _EDGES[edges]
        self._closed = False
        self._handle = ctypes.c_void_p()
        self._library.check(
            self._library.functions.resemote_classifier_create(
                os.fsencode(opened.path), self._library.session_options(device, threads), sizes, self._handle
            )
        )
        # One for calls that compute, one for those that wait for a result, so that neither waits for the other.
        self._classified = _Answers(max_faces, self.passport.labels)
        self._polled = _Answers(max_faces, self.passport.labels)
        session = ctypes.c_void_p()
        self._library.check(self._library.functions.resemote_classifier_get_session(self._handle, session))
        info = self._library.session_info(session)
        self.backend, self.device = info.backend.decode(), info.device.decode()

    def classify(self, frame: Frame, boxes: Sequence[Box]) -> list[Emotion]:
        """Classify the faces of a frame in one batch.

        Args:
            frame: Picture; its pixels are read where they are, and copied only where a row's samples do not touch.
            boxes: Boxes of the faces; at the frame's border, they are cut or filled as `edges` says.

        Returns:
            One `Emotion` per box, in order.

        Raises:
            InputError: There are too many boxes, or less than 8x8 pixels of one lie within the frame.
            SessionClosedError: After `close`.
        """
        picture, answers = _frame(frame), self._classified
        with answers.turn:
            self._library.check(
                self._library.functions.resemote_classifier_classify(
                    self._handle, picture, _boxes(boxes), len(boxes), answers.decisions, answers.probabilities
                )
            )
            return answers.emotions(len(boxes))

    def preprocess(self, frame: Frame, boxes: Sequence[Box]) -> NDArray[Any]:
        """Compute the network's input for these boxes, as its input spec says; caller-owned.

        Raises:
            InputError: The boxes cannot be used; see `classify`.
        """
        spec = self.passport.inputs[0]
        feed = np.empty(spec.sides(len(boxes)), spec.numpy_dtype)
        self._library.check(
            self._library.functions.resemote_classifier_preprocess(
                self._handle, _frame(frame), _boxes(boxes), len(boxes), _address(feed), feed.nbytes
            )
        )
        return feed

    def submit(self, frame: Frame, boxes: Sequence[Box], tag: int = 0, *, timestamp_ns: int = 0) -> None:
        """Take what is needed of a frame and return; a thread of the library does the rest.

        Args:
            frame: Picture; it may change as soon as this returns.
            boxes: Boxes of the faces.
            tag: Number that comes back with the result; 0 to 2^64 - 1.
            timestamp_ns: Time of capture, on a clock of the caller's; it comes back with the result.

        Raises:
            InputError: The boxes cannot be used; see `classify`. Or the classifier has no queue.
        """
        picture = _frame(frame)
        picture.timestamp_ns = timestamp_ns
        self._library.check(
            self._library.functions.resemote_classifier_submit(self._handle, picture, _boxes(boxes), len(boxes), tag)
        )

    def poll(self, timeout_seconds: float | None = 0.0) -> NativeResult | None:
        """Fetch the oldest result that waits.

        Args:
            timeout_seconds: Longest wait for a result, also if nothing was submitted yet. None waits until there is a
                result, or until another thread closes the classifier.

        Returns:
            The result; None when there is none.

        Raises:
            NativeError: The inference failed.
            SessionClosedError: The classifier was closed meanwhile.
        """
        result = structs.sized(structs.Result)
        milliseconds = -1 if timeout_seconds is None else round(timeout_seconds * 1000)
        answers = self._polled
        with answers.turn:
            status = self._library.functions.resemote_classifier_poll(
                self._handle, milliseconds, result, answers.decisions, answers.probabilities
            )
            if status == NOT_READY:
                return None
            self._library.check(status)
            self._library.check(result.status)
            emotions = answers.emotions(result.box_count)
            return NativeResult(result.tag, emotions, result.dropped, result.timestamp_ns, result.pending)

    def close(self) -> None:
        """Release the classifier; calling it again does nothing."""
        if not self._closed:
            self._closed = True
            # The handle stays: the library knows that it is stale, and says so to a caller that uses it. In a forked
            # process it was the parent's from the start, and there is nothing to release.
            with suppress(SessionClosedError):
                self._library.check(self._library.functions.resemote_classifier_destroy(self._handle))

    def __enter__(self) -> "NativeClassifier":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Answers:
    """Memory that the library writes decisions to, for one call at a time.

    Attributes:
        turn: Lock that a call holds from before the library writes until after the memory is read.
    """

    def __init__(self, faces: int, labels: tuple[str, ...]) -> None:
        self.turn = threading.Lock()
        self.decisions = (structs.Decision * faces)()
        self._labels = labels
        self._rows = np.empty((faces, len(labels)), np.float32)
        self.probabilities = _address(self._rows)

    def emotions(self, count: int) -> list[Emotion]:
        labels, rows = self._labels, self._rows[:count].tolist()
        return [
            Emotion(labels[decision.label], decision.score, dict(zip(labels, row, strict=True)))
            for decision, row in zip(self.decisions[:count], rows, strict=True)
        ]


def _address(array: NDArray[Any]) -> int:
    address: int = array.__array_interface__["data"][0]
    return address


def _boxes(boxes: Sequence[Box]) -> Any:
    # ctypes would silently cut larger numbers to 32 bits.
    for number, box in enumerate(boxes):
        if not all(-_INT32 <= value < _INT32 for value in (box.x, box.y, box.width, box.height)):
            raise InputError(f"box {number} ({box}) does not fit 32 bits", hint="leave it out")
    return (structs.Box * len(boxes))(*[structs.Box(box.x, box.y, box.width, box.height) for box in boxes])


def _frame(frame: Frame) -> Any:
    """Make the C struct of a frame; it keeps the array it points into."""
    pixels = frame.pixels
    # Rows may lie apart; the samples of a row may not.
    touching = tuple(np.empty((0, *pixels.shape[1:]), np.uint8).strides[1:])
    if pixels.strides[1:] != touching or pixels.strides[0] < pixels.shape[1] * touching[0]:
        pixels = np.ascontiguousarray(pixels)
    made = structs.sized(structs.Frame)
    made.format = _FORMATS[frame.format]
    made.width, made.height = frame.width, frame.height
    made.data, made.stride_bytes = _address(pixels), pixels.strides[0]
    made.full_range = frame.full_range
    made.kept_alive = pixels
    return made
