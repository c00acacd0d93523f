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
    """Look into checkpoints, and write them in other forms.

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
    """Show parameters, width, label order, hash and lineage of FILE (or of embedded weights).

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
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="A .safetensors file to make.")
@click.option(
    "--dtype",
    type=click.Choice(["int8", "float16", "float32"]),
    required=True,
    help="Of the weights; int8 has a scale per output channel, and small layers stay float16.",
)
@labels_option
@click.option("--force", is_flag=True, help="Replace files at the destination.")
@json_option
def pack(
    source: Path,
    output: Path,
    dtype: Literal["int8", "float16", "float32"],
    labels: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write the weights of SOURCE smaller: compact layout, fewer bits, with its model card (.json, .md) beside.

    \b
    Example:
      resemote-edge checkpoint pack best.pt -o best.safetensors --dtype int8
    """
    from resemote_edge.labels import split_labels

    done = _conversion().pack_checkpoint(source, output, dtype, labels=split_labels(labels), force=force)
    _report(done, as_json)


@checkpoint.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="A .pt file to make.")
@labels_option
@click.option("--force", is_flag=True, help="Replace the file.")
@json_option
def expand(source: Path, output: Path, labels: str | None, force: bool, as_json: bool) -> None:
    """Write the weights of SOURCE as the network's authors do: PyTorch, float32, every key and 3x3 kernels.

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
