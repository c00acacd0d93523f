"""``resemote-edge bench explain``."""

from pathlib import Path

import click

from resemote_edge.cli.output import echo_written, json_option, output_option, precision_hint_option, threads_option
from resemote_edge.runtimes.session import PrecisionHint


@click.command()
@click.argument("artifact", type=click.Path(path_type=Path))
@click.option(
    "--runtime",
    default="auto",
    show_default=True,
    help="Runtime to use: openvino, onnxruntime, or auto for the first of them that can run ARTIFACT on this machine.",
)
@click.option(
    "--batch", type=click.IntRange(min=1, max=4096), default=1, show_default=True, help="Number of crops per call."
)
@threads_option
@precision_hint_option
@output_option("Folder for explanation.json, explanation.md, roofline.png and roofline.svg.")
@click.option("--force", is_flag=True, help="Replace an earlier explanation in the folder.")
@json_option
def explain(
    artifact: Path,
    runtime: str,
    batch: int,
    threads: int | None,
    precision_hint: PrecisionHint | None,
    output: Path | None,
    force: bool,
    as_json: bool,
) -> None:
    """Show where the time of ARTIFACT goes, layer by layer.

    The command runs ARTIFACT with the engine's profiler, and measures the memory bandwidth and the arithmetic peak of
    this CPU. The table shows for each layer the time it took, the shortest time this CPU would allow, and the precision
    the engine computed in. A sentence below says what bounds the whole network. With -o, the roofline is drawn as well.

    \b
    Example:
      resemote-edge bench explain artifacts/resemotenet-base-fer2013-openvino-fp32 --batch 8 -o explained
    """
    from resemote_edge.artifacts.artifact import Artifact
    from resemote_edge.artifacts.files import refuse_files
    from resemote_edge.benchmarks.explain.explanation import explain as run
    from resemote_edge.benchmarks.explain.report import EXPLANATION_FILES, machine_lines, write_explanation
    from resemote_edge.cli.terminal import open_console
    from resemote_edge.cli.views.layers import layer_table
    from resemote_edge.machine.topology import allowed_cores

    refuse_files(output, EXPLANATION_FILES, force=force)
    threads = threads or len(allowed_cores())
    found = run(Artifact.load(artifact), runtime, batch=batch, threads=threads, precision_hint=precision_hint)
    if runtime == "auto":
        click.echo(f"runtime: {found.runtime} (auto)", err=True)
    if as_json:
        click.echo(found.to_json().decode(), nl=False)
    else:
        console = open_console()
        for line in machine_lines(found.machine):
            console.print(line, markup=False, highlight=False, soft_wrap=True)
        console.print(layer_table(found))
    if output is not None:
        echo_written(write_explanation(found, output))
