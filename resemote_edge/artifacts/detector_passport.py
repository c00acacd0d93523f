"""DetectorPassport: the manifest of a face detector."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, TypeAlias

import numpy as np
from msgspec import Meta
from numpy.typing import NDArray

from resemote_edge.artifacts.passport_base import BasePassport, BaseVerification
from resemote_edge.artifacts.record import Sha256, Strict, Text
from resemote_edge.artifacts.tensor_spec import TensorSpec
from resemote_edge.vision.framing import Framing

__all__ = ["DetectorGolden", "DetectorInput", "DetectorPassport", "WeightsSource", "feed_spec"]

#: What a detector's network takes: BGR levels 0 to 255, as float32 NCHW or as the uint8 NHWC of a frame.
DetectorInput: TypeAlias = Literal["tensor", "bgr-u8"]

_Share = Annotated[float, Meta(ge=0.0, le=1.0)]


class WeightsSource(Strict, frozen=True, kw_only=True):
    """Origin of the weights.

    Attributes:
        file: Name of the file that the weights were read from.
        sha256: Hex digest of that file.
        package: Python package that carries the file; None for a file that the user named.
        version: Version of the package.
        licence: Licence of the weights, as an SPDX identifier; None where nobody stated it.
    """

    file: Text
    sha256: Sha256
    package: Text | None = None
    version: Text | None = None
    licence: Text | None = None


class DetectorGolden(Strict, frozen=True, kw_only=True):
    """Self-test data: drawn pictures and what the network must give for them.

    Attributes:
        frames: Name of the pictures' file; ``npy`` uint8 (N, height / repeat, width / repeat, 3) in BGR. Each pixel
            stands for ``repeat`` times ``repeat`` pixels of the network's input.
        outputs: Name of the outputs' file; ``npy`` float32 (N, values): the values of all outputs, flattened and one
            after the other in the passport's order, computed from the file that the weights came from.
        count: Number of pictures, N.
        repeat: How often each pixel is repeated in both directions.
        max_abs_diff: Largest difference of a value that the self-test allows.
    """

    frames: Text
    outputs: Text
    count: Annotated[int, Meta(ge=1, le=64)]
    repeat: Annotated[int, Meta(ge=1, le=64)]
    max_abs_diff: Annotated[float, Meta(ge=0.0)]


class DetectorPassport(BasePassport, frozen=True, kw_only=True, tag_field="kind", tag="detector"):
    """The manifest of a face detector; `BasePassport` has the rest.

    Attributes:
        family: Family of the network, which says how its outputs are read: ``yunet`` or ``centerface``.
        width: Columns of the network's input, pixels.
        height: Rows of the network's input, pixels.
        input: What the network takes.
        framing: How its boxes become the squares that a classifier is shown.
        min_score: Lowest score of a face that is reported where the user names none.
        max_overlap: Intersection over union above which the lower of two boxes is the same face.
        source: Origin of the weights.
        golden: Self-test data.
        verification: The exported network against the file of its weights, on drawn pictures, over the values of all
            outputs; None only while an export is under way.
    """

    kind: ClassVar[str] = "detector"

    family: Text
    width: Annotated[int, Meta(ge=32, le=4096, multiple_of=32)]
    height: Annotated[int, Meta(ge=32, le=4096, multiple_of=32)]
    input: DetectorInput
    framing: Framing
    min_score: _Share
    max_overlap: _Share
    source: WeightsSource
    golden: DetectorGolden
    verification: BaseVerification | None = None

    def feed(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8] | NDArray[np.float32]:
        """A picture as the network takes it.

        Args:
            pixels: uint8 (height, width, 3), BGR.

        Returns:
            The input, as `feed_spec` says.
        """
        if self.input == "bgr-u8":
            return pixels[None]
        return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None], dtype=np.float32)

    def flatten(self, outputs: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """The values of all outputs for one picture, one after the other in the passport's order: float32 (values,)."""
        return np.concatenate([outputs[spec.name].reshape(-1) for spec in self.outputs])


def feed_spec(input: DetectorInput, width: int, height: int) -> TensorSpec:
    """Spec of the input that one frame becomes.

    Args:
        input: What the network takes.
        width: Columns of the input, pixels.
        height: Rows of the input, pixels.
    """
    if input == "tensor":
        return TensorSpec(name="input", dtype="float32", shape=(1, 3, height, width))
    return TensorSpec(name="input", dtype="uint8", shape=(1, height, width, 3))
