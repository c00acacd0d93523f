"""RecordedRanges: activation ranges that travel beside a checkpoint, so that exporting to INT8 needs no images."""

from pathlib import Path

import msgspec

from resemote_edge.artifacts.files import write_file
from resemote_edge.artifacts.passport import CalibrationManifest
from resemote_edge.artifacts.record import DECODE_ERRORS, Strict, read_text_bytes
from resemote_edge.errors import CheckpointError
from resemote_edge.models.checkpoint import Checkpoint

__all__ = ["RecordedRanges", "read_recorded", "recorded_path", "write_recorded"]

RANGES_SCHEMA = 1


class RecordedRanges(Strict, frozen=True, kw_only=True):
    """Ranges observed once, and the images they were observed on.

    Attributes:
        schema: Schema of the record, `RANGES_SCHEMA`.
        checkpoint_sha256: Hash of the checkpoint file they belong to.
        calibration: Record of the images.
        ranges: Tensor name to (smallest, largest) value.
    """

    schema: int
    checkpoint_sha256: str
    calibration: CalibrationManifest
    ranges: dict[str, tuple[float, float]]


def recorded_path(checkpoint: Path) -> Path:
    """Path of a checkpoint's recorded ranges: ``best.pt`` has ``best.ranges.json`` beside it."""
    return checkpoint.with_suffix(".ranges.json")


def read_recorded(checkpoint: Checkpoint) -> RecordedRanges | None:
    """Read the ranges beside a checkpoint.

    Returns:
        The ranges; None when there are none.

    Raises:
        CheckpointError: The file is not valid, or was recorded for other weights.
    """
    path = recorded_path(checkpoint.path)
    if not path.is_file():
        return None
    try:
        recorded = msgspec.json.decode(read_text_bytes(path), type=RecordedRanges)
    except DECODE_ERRORS as error:
        raise CheckpointError(
            f"{path}: not valid activation ranges: {error}", hint="run: resemote-edge calibrate"
        ) from None
    if recorded.schema != RANGES_SCHEMA:
        raise CheckpointError(f"{path}: ranges of schema {recorded.schema}, this version reads schema {RANGES_SCHEMA}")
    if recorded.checkpoint_sha256 != checkpoint.sha256:
        raise CheckpointError(
            f"{path}: recorded for other weights than {checkpoint.path.name}",
            hint="run resemote-edge calibrate again, or remove the file",
        )
    return recorded


def write_recorded(
    checkpoint: Checkpoint, ranges: dict[str, tuple[float, float]], calibration: CalibrationManifest, path: Path
) -> None:
    """Write ranges as JSON; the file appears whole or not at all."""
    recorded = RecordedRanges(
        schema=RANGES_SCHEMA, checkpoint_sha256=checkpoint.sha256, calibration=calibration, ranges=ranges
    )
    write_file(path, msgspec.json.format(msgspec.json.encode(recorded), indent=1) + b"\n")
