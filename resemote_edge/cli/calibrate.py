"""``resemote-edge calibrate``."""

from pathlib import Path
from typing import Any

import click

from resemote_edge.cli.output import (
    data_option,
    echo_json,
    echo_note,
    json_option,
    labels_option,
    measuring_progress,
    output_option,
    variant_option,
)


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path), required=False)
@variant_option
@labels_option
@click.option(
    "--images", type=click.IntRange(min=1), default=512, show_default=True, help="Number of images to observe."
)
@click.option(
    "--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the random choice of images."
)
@data_option
@output_option("File to write.  [default: CHECKPOINT's name with .ranges.json]")
@click.option("--force", is_flag=True, help="Replace an earlier record.")
@json_option
def calibrate(checkpoint: Path | None, variant: str | None, as_json: bool, **options: Any) -> None:
    """Record the activation ranges of CHECKPOINT for int8.

    The command runs the network on class-balanced images of the training split of --data, and writes the range of each
    activation into a JSON file beside CHECKPOINT. With that file, 'export --precision int8' needs no images.

    \b
    Example:
      resemote-edge calibrate best.pt --data fer2013.zip
    """
    from resemote_edge.export.calibrating import record_ranges
    from resemote_edge.weights import choose_checkpoint

    weights = choose_checkpoint(checkpoint, variant)
    notes: list[str] = []
    with measuring_progress("observing activations") as progress:
        written = record_ranges(weights, **options, progress=progress, tell=notes.append)
    for note in notes:
        echo_note(note)
    if as_json:
        echo_json({"path": str(written.path), "tensors": written.tensors, "images": written.described, "notes": notes})
    else:
        click.echo(f"wrote {written.path}: ranges of {written.tensors} tensors over {written.described}")
