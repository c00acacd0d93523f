"""record_ranges: the activation ranges of a checkpoint, observed and written beside it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from resemote_edge.artifacts.files import refuse_files
from resemote_edge.data.findings import Tell
from resemote_edge.data.registry import DatasetReader
from resemote_edge.export.command import load_weights, required_data

__all__ = ["WrittenRanges", "record_ranges"]


@dataclass(frozen=True, kw_only=True)
class WrittenRanges:
    """Record of what `record_ranges` wrote.

    Attributes:
        path: File that was written.
        tensors: Number of tensors whose range it holds.
        described: Description of the images.
    """

    path: Path
    tensors: int
    described: str


def record_ranges(
    checkpoint: Path | None,
    labels: str | None,
    data: Path | None,
    *,
    images: int,
    seed: int,
    output: Path | None = None,
    force: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
    tell: Tell = lambda sentence: None,
) -> WrittenRanges:
    """Observe the activation ranges of a checkpoint and write them beside it.

    Args:
        checkpoint: Weights; None for the embedded default.
        labels: Names, comma-separated, in the order of the logits, for weights that do not state them.
        data: Dataset to observe on.
        images: Number of images of its training split, class-balanced.
        seed: Seed of the choice of images.
        output: File to write; None for one beside the checkpoint.
        force: Whether to replace the file.
        progress: Function called with (done, total) images.
        tell: Function called with what is found in the data.

    Returns:
        Record of what was written.

    Raises:
        InputError: There is no data, or the file exists and `force` is not set.
        ResEmoteEdgeError: The checkpoint or the data cannot be used.
    """
    data = required_data(data)
    loaded = load_weights(checkpoint, labels)
    from resemote_edge.data.calibration import choose_calibration
    from resemote_edge.export.quantize.quantization import calibrate
    from resemote_edge.export.quantize.recorded import recorded_path, write_recorded

    path = output or recorded_path(loaded.path)
    refuse_files(path.parent, [path.name], force=force)
    chosen = choose_calibration(data, images, seed, labels=loaded.labels, datasets=DatasetReader(tell))
    ranges = calibrate(loaded, chosen, progress)
    write_recorded(loaded, ranges, chosen.manifest, path)
    return WrittenRanges(path=path, tensors=len(ranges), described=f"{len(chosen)} images of {chosen.manifest.dataset}")
