"""``resemote-edge checkpoint``."""

from pathlib import Path

import click

from resemote_edge.cli.output import echo_json, json_option


@click.group()
def checkpoint() -> None:
    r"""Look into checkpoints.

    \b
    Example:
      resemote-edge checkpoint inspect best.pt
    """


@checkpoint.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@json_option
def inspect(file: Path | None, as_json: bool) -> None:
    r"""Show parameters, width, label order, hash and lineage of FILE (or of the embedded default).

    \b
    Example:
      resemote-edge checkpoint inspect best.pt --json
    """
    from rich.console import Console

    from resemote_edge.describe import facts_table
    from resemote_edge.models.describe import checkpoint_facts

    facts = checkpoint_facts(file)
    if as_json:
        echo_json(facts)
    else:
        Console().print(facts_table("Checkpoint", facts))
