"""``resemote-edge sensitivity``."""

from pathlib import Path
from typing import Any

import click

from resemote_edge.cli.output import (
    data_option,
    echo_json,
    json_option,
    labels_option,
    measuring_progress,
    target_option,
    variant_option,
)
from resemote_edge.export.recipe import EIGHT_BIT
from resemote_edge.export.targets import TARGETS


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path), required=False)
@target_option("Scheme of which target.")
@click.option("--precision", type=click.Choice(EIGHT_BIT), help="What is put into eight bits.  [default: int8]")
@click.option("--recipe", help="A recipe's name or file; decides both.")
@variant_option
@labels_option
@click.option("--images", type=click.IntRange(min=1), default=512, show_default=True, help="Images to compare on.")
@data_option
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Folder for sensitivity.json and sensitivity.png."
)
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
    """Rank the layers of CHECKPOINT (or of embedded weights) by the damage each does when it alone is quantized.

    Worst first, by the signal-to-noise ratio of the logits, over images of the training split of --data. The layers at
    the top are the ones to keep floating where int8 costs too much; export does that by itself when its gate fails.

    \b
    Example:
      resemote-edge sensitivity --target openvino --data fer2013.zip -o sensitivity
    """
    from resemote_edge.artifacts.files import refuse_files
    from resemote_edge.cli.terminal import open_console
    from resemote_edge.cli.views.sensitivity import sensitivity_table
    from resemote_edge.export.command import ExportOptions, rank_sensitivity
    from resemote_edge.export.quantize.report import SENSITIVITY_FILES, write_sensitivity
    from resemote_edge.weights import choose_checkpoint

    refuse_files(output, SENSITIVITY_FILES, force=force)
    if options["recipe"] is None:
        options["target"] = options["target"] or next(iter(TARGETS))
        options["precision"] = options["precision"] or EIGHT_BIT[0]
    request = ExportOptions(checkpoint=choose_checkpoint(checkpoint, variant), **options)
    with measuring_progress("ranking layers") as progress:
        report = rank_sensitivity(request, images, progress)
    if output is not None:
        for path in write_sensitivity(report, output):
            click.echo(f"wrote {path}", err=True)
    if as_json:
        echo_json(report.to_dict())
    else:
        open_console().print(sensitivity_table(report))
