"""``resemote-edge data``."""

from pathlib import Path

import click

from resemote_edge.cli.output import echo_json, json_option, measuring_progress


@click.group()
def data() -> None:
    r"""Look into datasets.

    \b
    Example:
      resemote-edge data inspect fer2013.zip
    """


@data.command()
@click.argument("path", type=click.Path(path_type=Path))
@json_option
def inspect(path: Path, as_json: bool) -> None:
    r"""Count classes, find duplicates and contradictions, and hash each split of the dataset at PATH.

    \b
    Example:
      resemote-edge data inspect fer2013.csv --json
    """
    from rich.console import Console

    from resemote_edge.data.fer2013 import load_fer2013
    from resemote_edge.data.inspect import inspect_splits
    from resemote_edge.describe import data_tables

    with measuring_progress("reading") as update:
        splits = load_fer2013(path, progress=update)
    report = inspect_splits(path, splits)
    if as_json:
        echo_json(report.to_dict())
        return
    for table in data_tables(report):
        Console().print(table)
