"""``resemote-edge export``."""

from pathlib import Path

import click

from resemote_edge.cli.output import data_option, echo_json, json_option
from resemote_edge.output_format import OutputFormat
from resemote_edge.preprocessing import InputFormat


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path), required=False)
@click.option("--target", type=click.Choice(["onnx", "openvino", "tensorrt", "pytorch"]), help="What to export for.")
@click.option("--precision", type=click.Choice(["fp32", "fp16"]), help="Precision.  [default: fp32]")
@click.option("--recipe", help="A recipe's name or file; decides target and precision.")
@click.option("--labels", help="Label order of a checkpoint that does not state it: seven names, comma-separated.")
@click.option("--compact/--no-compact", default=None, help="Drop weights that cannot reach the output.  [default: yes]")
@click.option(
    "--input",
    "input_format",
    type=click.Choice(["tensor", "gray-u8", "rgb-u8", "bgr-u8"]),
    help="What the model takes: the normalised tensor, or a uint8 64x64 crop.  [default: the recipe's]",
)
@click.option(
    "--output",
    "output_format",
    type=click.Choice(["logits", "probabilities"]),
    help="What the model gives: logits, or probabilities it computes itself.  [default: the recipe's]",
)
@click.option(
    "--lowering",
    type=click.Choice(["auto", "conv", "matmul"]),
    help="Small maps as convolutions or as matrix products; auto measures both here.  [default: the recipe's]",
)
@data_option
@click.option(
    "-o", "--folder", "output", type=click.Path(path_type=Path), help="Folder to make.  [default: artifacts/NAME]"
)
@click.option("--force", is_flag=True, help="Replace an artifact at the destination.")
@click.option("--list-recipes", is_flag=True, help="List the recipes that come with the package, and stop.")
@json_option
def export(
    checkpoint: Path | None,
    target: str | None,
    precision: str | None,
    recipe: str | None,
    labels: str | None,
    compact: bool | None,
    input_format: InputFormat | None,
    output_format: OutputFormat | None,
    lowering: str | None,
    data: Path | None,
    output: Path | None,
    force: bool,
    list_recipes: bool,
    as_json: bool,
) -> None:
    r"""Export CHECKPOINT (or the embedded default) to an artifact.

    The result is verified against PyTorch, on real faces of --data's validation split if it is given. If it differs
    by more than the recipe allows, the command ends with exit code 3 and leaves nothing behind.

    \b
    Example:
      resemote-edge export --target tensorrt --precision fp16
      resemote-edge export best.pt --recipe jetson-nano-tensorrt-fp16 -o nano
    """
    from resemote_edge.autotune import choose_lowering
    from resemote_edge.export.command import ExportOptions, describe, list_all, run_export

    if list_recipes:
        for line in list_all():
            click.echo(line)
        return
    options = ExportOptions(
        checkpoint=checkpoint,
        target=target,
        precision=precision,
        recipe=recipe,
        labels=labels,
        compact=compact,
        input=input_format,
        output_format=output_format,
        lowering=lowering,
        data=data,
        output=output,
        force=force,
    )
    options = choose_lowering(options, notice=lambda text: click.echo(f"  {text}", err=True))
    artifact = run_export(options, stage=lambda name: click.echo(f"  {name}", err=True))
    if as_json:
        echo_json(describe(artifact))
        return
    for line in describe(artifact, as_lines=True):
        click.echo(line)
