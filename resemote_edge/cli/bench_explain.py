"""``resemote-edge bench explain``."""

from pathlib import Path

import click

from resemote_edge.cli.output import json_option, threads_option


@click.command()
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option("--runtime", type=click.Choice(["openvino", "onnxruntime"]), required=True, help="Whose profile.")
@click.option("--batch", type=click.IntRange(min=1, max=4096), default=1, show_default=True, help="Crops per call.")
@threads_option
@click.option("-o", "--output", type=click.Path(path_type=Path), help="JSON file to write.")
@click.option("--force", is_flag=True, help="Replace the file.")
@json_option
def explain(
    artifact: Path, runtime: str, batch: int, threads: int | None, output: Path | None, force: bool, as_json: bool
) -> None:
    """Show where the time of ARTIFACT goes, layer by layer, against memory bandwidth and arithmetic peak of this CPU.

    \b
    Example:
      resemote-edge bench explain artifacts/resemotenet-s-fer2013-openvino-fp32 --runtime openvino --batch 8
    """
    import os

    import msgspec
    from rich.console import Console

    from resemote_edge.artifact import Artifact
    from resemote_edge.benchmarks.layers import explain as run
    from resemote_edge.benchmarks.layers import layer_table
    from resemote_edge.staging import refuse_files, write_file

    if output is not None:
        refuse_files(output.parent, [output.name], force=force)
    found = run(Artifact.load(artifact), runtime, batch=batch, threads=threads or len(os.sched_getaffinity(0)))
    encoded = msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n"
    if output is not None:
        write_file(output, encoded)
    if as_json:
        click.echo(encoded.decode(), nl=False)
    else:
        Console().print(layer_table(found))
