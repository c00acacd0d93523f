"""Agreement of a passport with the model that an engine loaded: what it promises is what is there."""

import json
from collections.abc import Mapping

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.tensor_spec import BATCH, TensorSpec
from resemote_edge.errors import ArtifactMismatchError
from resemote_edge.runtimes.session import Session

__all__ = ["require_labels", "require_tensors"]

_AGAIN = "export the artifact again"


def require_tensors(
    session: Session, found: Mapping[str, tuple[int | None, ...]], specs: tuple[TensorSpec, ...]
) -> None:
    """Hold specs of the passport against the tensors of the model.

    Args:
        session: Session that loaded the model.
        found: Shapes by name, with None for a dimension that may vary.
        specs: Specs of the session's inputs, or of its outputs.

    Raises:
        ArtifactMismatchError: The model has no such tensor, or one of another shape.
    """
    for spec in specs:
        shape = found.get(spec.name)
        if shape is None or not _fits(shape, spec.shape):
            have = ", ".join(f"{name} {dims}" for name, dims in found.items())
            raise ArtifactMismatchError(
                f"{session.artifact.file(session.file)}: the passport promises {spec.name} {spec.shape}, the model has "
                f"{have or 'nothing'}",
                hint=_AGAIN,
            )


def _fits(shape: tuple[int | None, ...], promised: tuple[int | str, ...]) -> bool:
    sides = tuple(None if side == BATCH else side for side in promised)
    return len(shape) == len(sides) and all(a == b or None in (a, b) for a, b in zip(shape, sides, strict=True))


def require_labels(session: Session, written: str | None) -> None:
    """Hold a classifier's labels in the passport against those that the exporter wrote into the model file itself.

    Args:
        session: Session that loaded the model.
        written: Labels in the file, as JSON; None if it has none.

    Raises:
        ArtifactMismatchError: They are others, or in another order.
    """
    artifact = session.artifact
    if not isinstance(artifact, Artifact):
        return  # No other kind has labels.
    promised = json.dumps(list(artifact.passport.labels))
    if written is not None and written != promised:
        raise ArtifactMismatchError(
            f"{artifact.file(session.file)}: the model's labels are {written}, the passport's {promised}", hint=_AGAIN
        )
