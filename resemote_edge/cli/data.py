"""``resemote-edge data``."""

from pathlib import Path

import click

from resemote_edge.cli.output import echo_json, json_option, measuring_progress


@click.group()
def data() -> None:
    """Inspect datasets.

    \b
    Example:
      resemote-edge data inspect fer2013.zip
    """


@data.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--kind",
    default="auto",
    show_default=True,
    help="Kind of dataset: fer2013, ferplus, rafdb, affectnet, expw, folder, or auto to recognise it.",
)
@click.option(
    "--labels-file",
    type=click.Path(path_type=Path),
    help="FERPlus's fer2013new.csv, if it is not in PATH.",
)
@json_option
def inspect(path: Path, kind: str, labels_file: Path | None, as_json: bool) -> None:
    """Show what the dataset at PATH holds.

    The tables list the number of images per class and split, images that occur more than once, images with conflicting
    labels, images that were left out and why, and the hash of each split.

    \b
    Example:
      resemote-edge data inspect fer2013.csv --json
      resemote-edge data inspect my-faces --kind folder
    """
    from resemote_edge.cli.terminal import open_console
    from resemote_edge.cli.views.data import data_tables
    from resemote_edge.data.dataset import SPLITS
    from resemote_edge.data.inspect import inspect_splits
    from resemote_edge.data.registry import load_dataset

    with measuring_progress("reading") as update:
        splits = load_dataset(path, kind, progress=update, optional=SPLITS, labels_file=labels_file)
    report = inspect_splits(path, splits)
    if as_json:
        echo_json(report.to_dict())
        return
    for table in data_tables(report):
        open_console().print(table)
