"""``resemote-edge demo``."""

from pathlib import Path

import click

from resemote_edge.cli.output import data_option, output_option, suite_progress
from resemote_edge.weights import EMBEDDED


@click.command()
@data_option
@click.option("--variant", default="nano", show_default=True, help=f"Embedded weights to use: {', '.join(EMBEDDED)}.")
@output_option("Folder for the artifacts and the report.", default=Path("demo"), show_default=True)
@click.option("--force", is_flag=True, help="Replace what an earlier demo left in the folder.")
def demo(data: Path | None, variant: str, output: Path, force: bool) -> None:
    """Export embedded weights to three targets, and measure them.

    The command exports to ONNX, OpenVINO and TensorRT, runs the self-test of each artifact, measures it in the runtime
    it is made for, and writes a report into the output folder. The default weights are the smallest, which takes a
    minute or two; '--variant base' does the same for the largest.

    If --data is left out, the environment variable RESEMOTE_EDGE_FER2013 may name FER2013. Accuracy is not measured if
    neither names a dataset.

    \b
    Example:
      resemote-edge demo --data fer2013.zip
      resemote-edge demo --variant base -o demo-base
    """
    from resemote_edge.cli.terminal import open_console
    from resemote_edge.cli.views.bench import rich_table
    from resemote_edge.workflows.demo import run_demo

    console = open_console()
    with suite_progress() as (notice, progress):
        result = run_demo(data, output, variant=variant, force=force, notice=notice, progress=progress)
    console.print(rich_table(result.report))
    for row in result.report.unmeasured:
        if row.runtime in result.unavailable:
            continue  # said before the exports, once a runtime
        console.print(f"not measured: {row.artifact} in {row.runtime}: {row.reason}", style="yellow", markup=False)
    if result.report.accuracy_data is None:
        console.print("accuracy was not measured: no dataset was given (--data, or RESEMOTE_EDGE_FER2013)")
    for kind, path in result.written.items():
        console.print(f"{kind}: {path}", highlight=False, markup=False, soft_wrap=True)
    if variant != "base":
        console.print(
            "for the largest network: resemote-edge demo --variant base -o demo-base",
            highlight=False, markup=False, soft_wrap=True,
        )  # fmt: skip
