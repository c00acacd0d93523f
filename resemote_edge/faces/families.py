"""Families of detectors with a network: what is known of each, whatever file its weights came from.

The framing was found on frames made of FER2013's faces: with it, the square around a detected face shows what the
dataset's own picture shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from resemote_edge.vision.framing import Framing

__all__ = ["FAMILIES", "Family"]


@dataclass(frozen=True, kw_only=True)
class Family:
    """Facts about one family.

    Attributes:
        framing: How its boxes become the squares that a classifier is shown.
        min_score: Lowest score of a face that is reported where the user names none.
        max_overlap: Intersection over union above which the lower of two boxes is the same face.
        outputs: Channels of each output, by name, in the order in which they are read.
        strides: Pixels of the input between two cells of an output, by the suffix of its name.
    """

    framing: Framing
    min_score: float
    max_overlap: float
    outputs: Mapping[str, int]
    strides: tuple[int, ...]


#: Name of a family, as the passport has it, to its facts.
FAMILIES: dict[str, Family] = {
    "yunet": Family(
        framing=Framing(scale=1.12),
        min_score=0.6,
        max_overlap=0.3,
        outputs={
            f"{part}_{stride}": channels
            for part, channels in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10))
            for stride in (8, 16, 32)
        },
        strides=(8, 16, 32),
    ),
    "centerface": Family(
        framing=Framing(scale=1.19, shift=-0.015),
        min_score=0.5,
        max_overlap=0.3,
        outputs={"heatmap": 1, "size": 2, "offset": 2, "landmarks": 10},
        strides=(4,),
    ),
}
