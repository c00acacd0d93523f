"""``python -m resemote_edge.experiments prebuilt``."""

from pathlib import Path

import click

from resemote_edge.cli.output import data_option

#: What the prebuilt artifact is made of: a variant of the embedded weights, and a recipe.
VARIANT, RECIPE = "s", "cpu-onnxruntime-w8"


@click.command()
@data_option
@click.option(
    "-o", "--folder", type=click.Path(path_type=Path), help="Folder to write.  [default: the package's own artifact]"
)
def prebuilt(data: Path | None, folder: Path | None) -> None:
    """Export the prebuilt artifact of the package.

    'predict' and 'load()' use the prebuilt artifact if no artifact is named. The command replaces it in the package;
    commit it if it changed. It must pass the accuracy gate, so --data or RESEMOTE_EDGE_FER2013 must name FER2013. With
    -o, the artifact is written elsewhere and the gate is optional.

    \b
    Example:
      python -m resemote_edge.experiments prebuilt --data fer2013.zip
    """
    from resemote_edge.artifacts.prebuilt import prebuilt_path
    from resemote_edge.data.locate import FER2013_VARIABLE, find_fer2013
    from resemote_edge.errors import InputError
    from resemote_edge.export.command import ExportOptions, run_export
    from resemote_edge.weights import embedded_checkpoint

    if folder is None:
        data = data or find_fer2013()
        if data is None:
            raise InputError(
                "the prebuilt artifact has to pass the accuracy gate", hint=f"pass --data, or set {FER2013_VARIABLE}"
            )
    options = ExportOptions(
        checkpoint=embedded_checkpoint(VARIANT),
        recipe=RECIPE,
        data=data,
        output=folder or prebuilt_path(),
        force=folder is None,
    )
    artifact = run_export(options, lambda stage: click.echo(f"  {stage}", err=True))
    size = sum(entry.size_bytes for entry in artifact.passport.files)
    click.echo(f"{artifact.path}: {size / 1e6:.1f} MB")
