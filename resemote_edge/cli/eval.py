"""``resemote-edge eval``."""

from pathlib import Path
from typing import Any

import click

from resemote_edge.cli.output import (
    device_option,
    echo_json,
    echo_note,
    json_option,
    measuring_progress,
    output_option,
    precision_hint_option,
    runtime_option,
    threads_option,
)


@click.command("eval")
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    required=True,
    help="Dataset: FER2013 in any form, a folder or zip of <split>/<class>/ images, or another supported dataset.",
)
@click.option(
    "--split",
    type=click.Choice(["train", "validation", "test"]),
    default="test",
    show_default=True,
    help="Split of the dataset to evaluate on.",
)
@runtime_option("auto")
@device_option
@threads_option
@precision_hint_option
@click.option("--reference", type=click.Path(path_type=Path), help="Artifact to compare with, image by image.")
@output_option("Folder to write eval.json and confusion.png into.")
@click.option("--force", is_flag=True, help="Replace an earlier evaluation in the folder.")
@json_option
def evaluate(output: Path | None, force: bool, as_json: bool, **options: Any) -> None:
    """Measure the accuracy of ARTIFACT on a dataset.

    The tables show the accuracy with its 95 % interval, the accuracy without test images that are also in the training
    split, the recall of each class, the calibration error and the confusion matrix. With --reference, they also show
    the accuracy drop against another artifact, and how often the two disagree.

    \b
    Example:
      resemote-edge eval artifacts/resemotenet-base-fer2013-openvino-fp32 --data fer2013.zip --split test
    """
    from resemote_edge.artifacts.files import refuse_files
    from resemote_edge.cli.terminal import open_console
    from resemote_edge.cli.views.accuracy import accuracy_tables
    from resemote_edge.evaluation.run import EVAL_FILES, EvalRequest, run_eval, write_eval

    refuse_files(output, EVAL_FILES, force=force)
    with measuring_progress("images") as update:
        result = run_eval(EvalRequest(**options), update)
    for note in result.notes:
        echo_note(note)
    if as_json:
        echo_json(result.to_dict())
    else:
        for table in accuracy_tables(result):
            open_console().print(table)
    if output is not None:
        for path in write_eval(result, output):
            click.echo(f"written: {path}", err=True)
