"""``resemote-edge runtimes``."""

import click

from resemote_edge.cli.output import echo_json, json_option


@click.command()
@json_option
def runtimes(as_json: bool) -> None:
    """List the runtimes, and say which of them work here.

    The table shows the version and the devices of each runtime. If a runtime does not work on this machine, it says why
    and what to do.

    \b
    Example:
      resemote-edge runtimes --json
    """
    from dataclasses import asdict

    from resemote_edge.cli.terminal import open_console
    from resemote_edge.cli.views.runtimes import runtimes_table
    from resemote_edge.runtimes.registry import probe_all

    found = probe_all()
    if as_json:
        echo_json({name: asdict(availability) for name, availability in found.items()})
    else:
        open_console().print(runtimes_table(found))
