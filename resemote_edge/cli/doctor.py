"""``resemote-edge doctor``."""

import click
import msgspec

from resemote_edge.cli.output import echo_json, json_option


@click.command()
@click.argument("topic", required=False, type=click.Choice(["camera"]))
@json_option
def doctor(topic: str | None, as_json: bool) -> None:
    """Show what this machine has, and what to install.

    The table lists the CPU and its features, the memory, the GPUs, the JetPack version and the runtimes. The lines
    below it say what is missing, and which command installs it.

    With the TOPIC camera, it lists cameras instead: their formats, which programs hold them, and what is in the way of
    opening one. Nothing is captured.

    \b
    Example:
      resemote-edge doctor
      resemote-edge doctor camera
    """
    from resemote_edge.cli.terminal import open_console

    if topic == "camera":
        from resemote_edge.camera.devices import diagnose_cameras
        from resemote_edge.cli.views.camera import cameras_table

        cameras = diagnose_cameras()
        found, table, advice = msgspec.to_builtins(cameras), cameras_table(cameras), cameras.advice
    else:
        from resemote_edge.cli.views.diagnosis import diagnosis_table
        from resemote_edge.machine.diagnosis import diagnose

        diagnosis = diagnose()
        found, table, advice = diagnosis.to_dict(), diagnosis_table(diagnosis), tuple(diagnosis.advice)
    if as_json:
        echo_json(found)
        return
    console = open_console()
    console.print(table)
    for line in advice:
        console.print(f"- {line}", highlight=False, markup=False, soft_wrap=True)
