"""``resemote-edge data``."""

from pathlib import Path

import click

from resemote_edge.cli.output import echo_json, echo_note, json_option, measuring_progress, output_option


@click.group()
def data() -> None:
    """Inspect datasets, and pack them for machines without Python.

    \b
    Example:
      resemote-edge data inspect fer2013.zip
      resemote-edge data pack fer2013.zip --split test -o test.crops
    """


@data.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--kind",
    default="auto",
    show_default=True,
    help="Kind of dataset: fer2013, ferplus, rafdb, affectnet, expw, folder, or auto to recognise it.",
)
@click.option("--labels-file", type=click.Path(path_type=Path), help="FERPlus's fer2013new.csv, if it is not in PATH.")
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


@data.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--split",
    type=click.Choice(["train", "validation", "test"]),
    default="test",
    show_default=True,
    help="Split of the dataset to pack.",
)
@click.option(
    "--kind",
    default="auto",
    show_default=True,
    help="Kind of dataset: fer2013, ferplus, rafdb, affectnet, expw, folder, or auto to recognise it.",
)
@output_option("File to write.", required=True)
@click.option("--force", is_flag=True, help="Replace the file.")
@json_option
def pack(path: Path, split: str, kind: str, output: Path, force: bool, as_json: bool) -> None:
    """Pack one split of the dataset at PATH into a file for 'resemote eval'.

    'resemote' is the command line for machines without Python. Its 'eval' reads this file and finds the same accuracy
    as 'resemote-edge eval' does on the same engine. Images that are also in the training split are marked.

    \b
    Example:
      resemote-edge data pack fer2013.zip --split test -o test.crops
    """
    from dataclasses import asdict

    from resemote_edge.artifacts.files import refuse_files
    from resemote_edge.data.packing import pack_split

    refuse_files(output.parent, (output.name,), force=force)
    with measuring_progress("reading") as update:
        packed = pack_split(path, split, output, kind=kind, progress=update)
    for note in packed.notes:
        echo_note(note)
    if as_json:
        echo_json(asdict(packed))
        return
    copies = "" if packed.train_copies is None else f", {packed.train_copies} of them also in the training split"
    click.echo(
        f"{packed.path}: {packed.samples} images of {packed.dataset}, {packed.size[0]}x{packed.size[1]}{copies}; "
        f"{packed.size_bytes / 1e6:.1f} MB"
    )
