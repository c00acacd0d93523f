"""Facts about a checkpoint, for ``resemote-edge checkpoint inspect``."""

from pathlib import Path
from typing import Any

from resemote_edge.errors import needs
from resemote_edge.labels import split_labels

__all__ = ["checkpoint_facts"]


def checkpoint_facts(path: Path, labels: str | None = None) -> dict[str, Any]:
    """Read a checkpoint and describe it.

    Args:
        path: File to read.
        labels: Names, comma-separated, for weights that do not state them.

    Returns:
        Facts as plain JSON types.

    Raises:
        CheckpointError: The file is malformed.
        MissingDependencyError: PyTorch is not installed.
    """
    with needs("export", "reading a checkpoint"):
        from resemote_edge.models.checkpoint import load_checkpoint

    checkpoint = load_checkpoint(path, split_labels(labels))
    card = checkpoint.card
    return {
        "file": str(checkpoint.path),
        "sha256": checkpoint.sha256,
        "size_bytes": checkpoint.path.stat().st_size,
        "width": checkpoint.width,
        "parameters": checkpoint.parameters,
        "num_classes": checkpoint.num_classes,
        "labels": list(checkpoint.labels),
        "labels_source": checkpoint.labels_source,
        "stored_dtype": checkpoint.stored_dtype,
        "stored_layout": checkpoint.stored_layout,
        "notes": list(checkpoint.notes),
        "lineage": {"training_data": card.training_data, "training": card.training, "accuracy": card.accuracy},
    }
