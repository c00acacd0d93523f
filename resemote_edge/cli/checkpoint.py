"""``resemote-edge checkpoint``."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from resemote_edge.cli.output import echo_json, json_option, labels_option, variant_option

if TYPE_CHECKING:
    from types import ModuleType

    from resemote_edge.models.conversion import Conversion


@click.group()
def checkpoint() -> None:
    """Inspect checkpoints, and convert them to other formats.

    \b
    Example:
      resemote-edge checkpoint inspect best.pt
      resemote-edge checkpoint pack best.pt -o best.safetensors --dtype int8
    """


@checkpoint.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@variant_option
@labels_option
@json_option
def inspect(file: Path | None, variant: str | None, labels: str | None, as_json: bool) -> None:
    """Show what the checkpoint FILE holds.

    The table lists the number of parameters, the width, the label order, the hash and the origin of the weights. If no
    FILE is named, the embedded weights are shown.

    \b
    Example:
      resemote-edge checkpoint inspect best.pt --json
    """
    from resemote_edge.cli.terminal import open_console
    from resemote_edge.cli.views.facts import facts_table
    from resemote_edge.models.describe import checkpoint_facts
    from resemote_edge.weights import choose_checkpoint

    facts = checkpoint_facts(choose_checkpoint(file, variant), labels)
    if as_json:
        echo_json(facts)
    else:
        open_console().print(facts_table("Checkpoint", facts))


@checkpoint.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="File to write, a .safetensors.")
@click.option(
    "--dtype",
    type=click.Choice(["int8", "float16", "float32"]),
    required=True,
    help="Type of the stored weights. int8 has one scale per output channel, and keeps small layers in float16.",
)
@labels_option
@click.option("--force", is_flag=True, help="Replace the file and its model card.")
@json_option
def pack(
    source: Path,
    output: Path,
    dtype: Literal["int8", "float16", "float32"],
    labels: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write the checkpoint SOURCE as a smaller file.

    The new file is safetensors in the compact layout: weights that cannot reach the output are left out, and --dtype
    says how the others are stored. The model card of SOURCE (.json, .md) is copied beside it.

    \b
    Example:
      resemote-edge checkpoint pack best.pt -o best.safetensors --dtype int8
    """
    from resemote_edge.labels import split_labels

    done = _conversion().pack_checkpoint(source, output, dtype, labels=split_labels(labels), force=force)
    _report(done, as_json)


@checkpoint.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="File to write, a .pt.")
@labels_option
@click.option("--force", is_flag=True, help="Replace the file.")
@json_option
def expand(source: Path, output: Path, labels: str | None, force: bool, as_json: bool) -> None:
    """Write the checkpoint SOURCE in the layout of the network's authors.

    The new file is a PyTorch checkpoint in float32 with every key and every 3x3 kernel, so that the authors' own code
    can load it.

    \b
    Example:
      resemote-edge checkpoint expand best.safetensors -o upstream.pt
    """
    from resemote_edge.labels import split_labels

    _report(_conversion().expand_checkpoint(source, output, labels=split_labels(labels), force=force), as_json)


def _conversion() -> "ModuleType":
    from resemote_edge.errors import needs

    with needs("export", "converting a checkpoint"):
        from resemote_edge.models import conversion
    return conversion


def _report(done: "Conversion", as_json: bool) -> None:
    if as_json:
        echo_json(done.to_dict())
        return
    for line in done.lines():
        click.echo(line)
