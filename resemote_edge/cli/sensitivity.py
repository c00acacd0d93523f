"""``resemote-edge sensitivity``."""

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
    target_option,
    variant_option,
)
from resemote_edge.export.recipe import EIGHT_BIT
from resemote_edge.export.targets import TARGETS


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path), required=False)
@target_option("Target whose quantization scheme is used.  [default: onnx]")
@click.option("--precision", type=click.Choice(EIGHT_BIT), help="Precision to try: int8 or w8.  [default: int8]")
@click.option("--recipe", help="Recipe to use, by name or file, in place of --target and --precision.")
@variant_option
@labels_option
@click.option(
    "--images", type=click.IntRange(min=1), default=512, show_default=True, help="Number of images to compare on."
)
@data_option
@output_option("Folder to write sensitivity.json and sensitivity.png into.")
@click.option("--force", is_flag=True, help="Replace the files of an earlier run.")
@json_option
def sensitivity(
    checkpoint: Path | None,
    variant: str | None,
    images: int,
    output: Path | None,
    force: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Rank the layers by the error that quantizing each causes.

    The command quantizes one layer of CHECKPOINT, or of the embedded weights, at a time. It runs the network on images
    of the training split of --data, and ranks the layers by the signal-to-noise ratio of the logits, worst first.

    If int8 costs too much accuracy, keep the first layers of the ranking in floating point ('export --keep-float').
    'export' does so by itself if its accuracy gate fails.

    \b
    Example:
      resemote-edge sensitivity --target openvino --data fer2013.zip -o sensitivity
    """
    from resemote_edge.artifacts.files import refuse_files
    from resemote_edge.cli.terminal import open_console
    from resemote_edge.errors import needs
    from resemote_edge.export.command import ExportOptions
    from resemote_edge.weights import choose_checkpoint

    with needs("export", "ranking layers"):
        from resemote_edge.cli.views.sensitivity import sensitivity_table
        from resemote_edge.export.quantize.report import SENSITIVITY_FILES, run_sensitivity, write_sensitivity

    refuse_files(output, SENSITIVITY_FILES, force=force)
    if options["recipe"] is None:
        options["target"] = options["target"] or next(iter(TARGETS))
        options["precision"] = options["precision"] or EIGHT_BIT[0]
    request = ExportOptions(checkpoint=choose_checkpoint(checkpoint, variant), **options)
    with measuring_progress("ranking layers") as progress:
        report = run_sensitivity(request, images, progress, echo_note)
    if output is not None:
        for path in write_sensitivity(report, output):
            click.echo(f"wrote {path}", err=True)
    if as_json:
        echo_json(report.to_dict())
    else:
        open_console().print(sensitivity_table(report))
