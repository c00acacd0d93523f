"""``resemote-edge doctor``."""

import click

from resemote_edge.cli.output import echo_json, json_option


@click.command()
@json_option
def doctor(as_json: bool) -> None:
    """Show what this machine has, and what to install.

    The table lists the CPU and its features, the memory, the GPUs, the JetPack version and the runtimes. The lines
    below it say what is missing, and which command installs it.

    \b
    Example:
      resemote-edge doctor
    """
    from resemote_edge.cli.terminal import open_console
    from resemote_edge.cli.views.diagnosis import diagnosis_table
    from resemote_edge.machine.diagnosis import diagnose

    diagnosis = diagnose()
    if as_json:
        echo_json(diagnosis.to_dict())
        return
    console = open_console()
    console.print(diagnosis_table(diagnosis))
    for line in diagnosis.advice:
        console.print(f"- {line}", highlight=False, markup=False, soft_wrap=True)
