"""Marks: what an annotated picture shows of a face."""

from resemote_edge.camera.results import FaceResult
from resemote_edge.vision.annotate import Mark

__all__ = ["mark_of"]


def mark_of(face: FaceResult) -> Mark:
    """Box, label, score and bars of a face, as they are drawn."""
    return Mark(
        box=(face.x, face.y, face.width, face.height),
        label=face.label,
        score=face.score,
        probabilities=face.probabilities,
        track=face.track,
        note=face.not_judged or "",
    )
