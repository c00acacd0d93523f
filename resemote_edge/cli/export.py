"""``resemote-edge export``."""

from pathlib import Path
from typing import Any, get_args

import click

from resemote_edge.artifacts.output_format import OutputFormat
from resemote_edge.cli.output import data_option, echo_json, json_option, labels_option, target_option, variant_option
from resemote_edge.export.recipe import PRECISIONS
from resemote_edge.vision.preprocessing import InputFormat


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path), required=False)
@target_option("What to export for.")
@click.option("--precision", type=click.Choice(PRECISIONS), help="w8: weights alone in 8 bits.  [default: fp32]")
@click.option("--recipe", help="A recipe's name or file; decides target and precision.")
@variant_option
@labels_option
@click.option("--compact/--no-compact", default=None, help="Drop weights that cannot reach the output.  [default: yes]")
@click.option(
    "--input",
    type=click.Choice(get_args(InputFormat)),
    help="What the model takes: the normalised tensor, or a uint8 64x64 crop.  [default: the recipe's]",
)
@click.option(
    "--output",
    "output_format",
    type=click.Choice(get_args(OutputFormat)),
    help="What the model gives: logits, or probabilities it computes itself.  [default: the recipe's]",
)
@click.option(
    "--lowering",
    type=click.Choice(["auto", "conv", "matmul"]),
    help="Small maps as convolutions or as matrix products; auto measures both here.  [default: the recipe's]",
)
@data_option
@click.option(
    "--max-drop",
    type=click.FloatRange(min=0, min_open=True, max=100),
    help="Accuracy gate: upper end of the accuracy drop's 95 % interval, points.  [default: 0.5]",
)
@click.option(
    "--repair/--no-repair", default=None, help="Keep worst layers floating until the gate passes.  [default: yes]"
)
@click.option("--keep-float", help="Layers to keep floating in int8 and w8: names, comma-separated.")
@click.option(
    "-o", "--folder", "output", type=click.Path(path_type=Path), help="Folder to make.  [default: artifacts/NAME]"
)
@click.option("--force", is_flag=True, help="Replace an artifact at the destination.")
@click.option("--list-recipes", is_flag=True, help="List the recipes that come with the package, and stop.")
@json_option
def export(
    checkpoint: Path | None,
    variant: str | None,
    keep_float: str | None,
    list_recipes: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Export CHECKPOINT (or embedded weights) to an artifact.

    The result is verified against PyTorch, on real faces of --data's validation split if it is given. With --data,
    every precision but fp32 must also pass the accuracy gate on that split; int8 calibrates on its training split.
    Without, int8 uses the activation ranges recorded beside the checkpoint, as those of all embedded weights are. A
    result outside its limits ends the command with exit code 3 and leaves nothing behind.

    \b
    Example:
      resemote-edge export --target openvino --precision int8 --data fer2013.zip
      resemote-edge export --variant s --target onnx --precision fp16
      resemote-edge export best.pt --recipe jetson-nano-tensorrt-fp16 -o nano
    """
    from resemote_edge.export.command import ExportOptions, list_all, run_export
    from resemote_edge.export.context import ExportContext
    from resemote_edge.export.summary import describe, describe_lines
    from resemote_edge.weights import choose_checkpoint
    from resemote_edge.workflows.autotune import choose_lowering

    if list_recipes:
        for line in list_all():
            click.echo(line)
        return
    context = ExportContext()
    request = ExportOptions(
        checkpoint=choose_checkpoint(checkpoint, variant),
        keep_float=tuple(name.strip() for name in keep_float.split(",")) if keep_float else (),
        **options,
    )
    request = choose_lowering(request, lambda text: click.echo(f"  {text}", err=True), context)
    artifact = run_export(request, lambda name: click.echo(f"  {name}", err=True), context)
    if as_json:
        echo_json(describe(artifact))
        return
    for line in describe_lines(artifact):
        click.echo(line)
