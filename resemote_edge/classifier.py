"""EmotionClassifier: face crops in, labelled probabilities out, on top of any session.

The labels are those of the network: the seven expressions, or whatever classes it was trained on.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.output_format import PROBABILITIES, log_probabilities, softmax
from resemote_edge.errors import ArtifactMismatchError, InputError
from resemote_edge.vision.frame import Box, Edges, Frame
from resemote_edge.vision.frame import crops as crops_of
from resemote_edge.vision.preprocessing import ColorOrder

if TYPE_CHECKING:
    from resemote_edge.artifacts.artifact import Artifact
    from resemote_edge.artifacts.passport import Passport
    from resemote_edge.runtimes.session import PrecisionHint, Session

__all__ = ["Emotion", "EmotionClassifier", "load"]


@dataclass(frozen=True)
class Emotion:
    """The decision for one face.

    Attributes:
        label: Most probable class.
        score: Probability of that class, in [0, 1].
        probabilities: Probability of every class by name, in the order of the logits. They sum to 1 up to rounding:
            about 1e-16, or the engine's about 1e-7 if the model computes them itself (1e-3 if it does so in fp16).
    """

    label: str
    score: float
    probabilities: dict[str, float] = field(repr=False)


class EmotionClassifier:
    """Classifies face crops with one session.

    Threads that share a classifier take turns, as with the session it owns; `close` it or use it as a context manager.
    A process that is forked afterwards opens its own.

    Attributes:
        session: The session that computes the outputs; closed along with the classifier.
        passport: Passport of the artifact.
    """

    def __init__(self, session: "Session", passport: "Passport") -> None:
        self.session = session
        self.passport = passport

    @property
    def labels(self) -> tuple[str, ...]:
        """Class names in the order of the logits."""
        return self.passport.labels

    def __call__(self, crops: NDArray[np.uint8] | Sequence[NDArray[np.uint8]], *, color: ColorOrder) -> list[Emotion]:
        """Classify one crop or many.

        Args:
            crops: One crop, uint8 (H, W) or (H, W, 3), or a sequence of such crops of any sizes from 8x8 up.
            color: Channel order: ``"gray"`` for (H, W), ``"rgb"`` or ``"bgr"`` for (H, W, 3). Never guessed.

        Returns:
            One `Emotion` per crop, in order; a single crop gives a list of one, an empty sequence an empty list.

        Raises:
            InputError: A crop is of the wrong type, shape, size or colour order.
            ArtifactError: The engine fails, or gives NaN.
            SessionClosedError: After `close`, or in a process that was forked since.
        """
        single = isinstance(crops, np.ndarray) and crops.ndim == (2 if color == "gray" else 3)
        return self.decide(self.outputs([crops] if single else crops, color=color))  # type: ignore[list-item]

    def classify_frame(self, frame: Frame, boxes: Sequence[Box], *, edges: Edges = "cut") -> list[Emotion]:
        """Classify the faces of a frame. The native runtime's classifier does the same, to the bit up to the network.

        Args:
            frame: Picture, in the format that a camera or decoder gives.
            boxes: Boxes of the faces.
            edges: Whether a box is ``"cut"`` at the frame's border or the border is ``"replicated"`` beyond it, as for
                the squares of a detector.

        Returns:
            One `Emotion` per box, in order.

        Raises:
            InputError: Less than 8x8 pixels of a box lie within the frame.
            SessionClosedError: After `close`.
        """
        faces, color = crops_of(frame, boxes, color=self.passport.preprocessing.takes_color, edges=edges)
        return self(faces, color=color)

    def decide(self, outputs: NDArray[np.float32]) -> list[Emotion]:
        """Turn the artifact's output into decisions; the last step of a call.

        Args:
            outputs: Output as `outputs` returns it, float32 (N, classes).

        Returns:
            One `Emotion` per row.
        """
        rows = (outputs if self.passport.output == PROBABILITIES else softmax(outputs)).tolist()
        labels = self.labels
        # There are only a few numbers a row: lists are faster than arrays here.
        return [Emotion(labels[row.index(max(row))], max(row), dict(zip(labels, row, strict=True))) for row in rows]

    def preprocess(self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, color: ColorOrder) -> NDArray[Any]:
        """Turn a batch of crops into the session's input; the first step of a call.

        Args:
            crops: Sequence of crops, or an array of equal crops with a leading batch dimension.
            color: Channel order.

        Returns:
            Array (N, ...) as the artifact's input spec says, caller-owned.

        Raises:
            InputError: A crop is unusable.
        """
        return self.passport.preprocessing(crops, color)

    def infer(self, batch: NDArray[Any]) -> NDArray[np.float32]:
        """Run the session on what `preprocess` returned; the second step of a call.

        Args:
            batch: Input (N, ...), no more than the artifact's largest batch.

        Returns:
            Output, float32 (N, classes), caller-owned.

        Raises:
            InputError: The batch does not fit the artifact.
            SessionClosedError: After `close`.
        """
        return self.session.run({self.session.inputs[0].name: batch})[self.session.outputs[0].name]

    def probabilities(
        self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, color: ColorOrder
    ) -> NDArray[np.floating[Any]]:
        """Probabilities for a sequence of crops, batched as the artifact allows.

        Args:
            crops: Sequence of crops, or an array of equal crops with a leading batch dimension.
            color: Channel order.

        Returns:
            Array (N, classes), caller-owned: float32 as the engine gives them where the artifact's output is
            probabilities, else float64, computed here from the logits.

        Raises:
            InputError: A crop is unusable.
        """
        outputs = self.outputs(crops, color=color)
        return outputs if self.passport.output == PROBABILITIES else softmax(outputs)

    def logits(
        self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, color: ColorOrder
    ) -> NDArray[np.float32]:
        """Logits for a sequence of crops, batched as the artifact allows.

        An artifact that outputs probabilities has lost the constant by which all logits of a row may be shifted. It
        gives the logarithms of the probabilities, which are the logits up to that constant; softmax and ranking are the
        same. A probability below the smallest normal float32 gives -87.34.

        Args:
            crops: Sequence of crops, or an array of equal crops with a leading batch dimension.
            color: Channel order.

        Returns:
            float32 (N, classes), caller-owned.

        Raises:
            InputError: A crop is unusable.
        """
        outputs = self.outputs(crops, color=color)
        return log_probabilities(outputs) if self.passport.output == PROBABILITIES else outputs

    def outputs(
        self, crops: Sequence[NDArray[np.uint8]] | NDArray[np.uint8], *, color: ColorOrder
    ) -> NDArray[np.float32]:
        """Output of the artifact for a sequence of crops, batched as it allows.

        Args:
            crops: Sequence of crops, or an array of equal crops with a leading batch dimension.
            color: Channel order.

        Returns:
            float32 (N, classes), caller-owned: logits or probabilities, as `Passport.output` says.

        Raises:
            InputError: A crop is unusable.
            ArtifactMismatchError: The model gives NaN or Inf in place of values.
        """
        if isinstance(crops, np.ndarray) and crops.ndim < (3 if color == "gray" else 4):
            raise InputError(
                f"expected a sequence of crops, got one array of shape {crops.shape}", hint="wrap it in a list"
            )
        out = np.empty((len(crops), len(self.labels)), dtype=np.float32)
        for chunk in self.passport.batch.chunks(len(crops), at_most=256):
            out[chunk] = self.infer(self.preprocess(crops[chunk], color=color))
        # A sum of squares is the fastest look at every value: any NaN or Inf makes it one.
        if not math.isfinite(np.vdot(out, out)):
            raise ArtifactMismatchError(
                f"{self.session.artifact.path}: {self.session.runtime} on {self.session.device} gives NaN or Inf",
                hint="run resemote-edge verify; export the artifact again, or run it on another device or runtime",
            )
        return out

    def close(self) -> None:
        """Release the session; calling it again does nothing."""
        self.session.close()

    def __enter__(self) -> "EmotionClassifier":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def load(
    artifact: "str | Path | Artifact | None" = None,
    *,
    runtime: str = "auto",
    device: str = "auto",
    threads: int | None = None,
    precision_hint: "PrecisionHint | None" = None,
    cuda_graph: bool = False,
) -> EmotionClassifier:
    """Open an artifact for classification.

    Args:
        artifact: Folder made by ``resemote-edge export``, or the `Artifact` that was opened from it, whose files are
            not hashed again; None for the prebuilt artifact that comes with the package.
            ``classifier.passport.name`` tells which artifact it is.
        runtime: ``pytorch``, ``onnxruntime``, ``openvino``, ``tensorrt``, or ``auto`` to take the first that can run
            this artifact here; ``classifier.session.runtime`` tells which.
        device: ``cpu``, ``cuda:0``, ``gpu``, ``npu``, or ``auto``; ``classifier.session.device`` tells which.
        threads: Number of CPU threads; None leaves it to the runtime.
        precision_hint: ``bf16`` lets OpenVINO and PyTorch compute in bf16, ``tf32`` lets PyTorch on a GPU compute in
            tf32, where the device has it; other runtimes refuse it.
        cuda_graph: Whether PyTorch on a GPU records its kernels and replays them; other runtimes refuse it.

    Returns:
        A classifier that owns its session.

    Raises:
        ArtifactError: The artifact is not whole, or made for another machine or version.
        MissingDependencyError: The runtime's package is not installed, or none that ``auto`` could take.
        DeviceUnavailableError: The device asked for is not there; nothing else is used in its place.
    """
    from resemote_edge.artifacts.artifact import Artifact
    from resemote_edge.artifacts.prebuilt import prebuilt_path
    from resemote_edge.runtimes.registry import open_session
    from resemote_edge.runtimes.session import SessionOptions

    named = prebuilt_path() if artifact is None else artifact
    opened = named if isinstance(named, Artifact) else Artifact.load(named)
    options = SessionOptions(device=device, threads=threads, precision_hint=precision_hint, cuda_graph=cuda_graph)
    session = open_session(opened, runtime, options)
    return EmotionClassifier(session, opened.passport)
