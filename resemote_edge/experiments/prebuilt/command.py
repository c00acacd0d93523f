"""``python -m resemote_edge.experiments prebuilt``."""

from pathlib import Path

import click

from resemote_edge.cli.output import data_option

#: What the prebuilt artifact is made of: a variant of the embedded weights, and a recipe.
VARIANT, RECIPE = "s", "cpu-onnxruntime-w8"


@click.command()
@data_option
@click.option("--detectors", is_flag=True, help="Export the face detectors instead; -o is the folder around theirs.")
@click.option(
    "-o", "--folder", type=click.Path(path_type=Path), help="Folder to write.  [default: the package's own artifact]"
)
def prebuilt(data: Path | None, detectors: bool, folder: Path | None) -> None:
    """Export the prebuilt artifacts of the package.

    'predict' and 'load()' use the prebuilt classifier if no artifact is named, and 'predict' and 'camera' the prebuilt
    detector. The command replaces them in the package; commit them if they changed. The classifier must pass the
    accuracy gate, so --data or RESEMOTE_EDGE_FER2013 must name FER2013. With -o, the artifacts are written elsewhere
    and the gate is optional.

    \b
    Example:
      python -m resemote_edge.experiments prebuilt --data fer2013.zip
      python -m resemote_edge.experiments prebuilt --detectors
    """
    if detectors:
        _export_detectors(folder)
        return
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


def _export_detectors(folder: Path | None) -> None:
    """Export each of the package's detectors, into the package or into a folder."""
    from resemote_edge.artifacts.prebuilt import PREBUILT_DETECTORS, prebuilt_detector_path
    from resemote_edge.export.detectors.command import DetectorExport, export_detector

    for family, width, height in PREBUILT_DETECTORS:
        own = prebuilt_detector_path(family, width, height)
        options = DetectorExport(
            detector=family,
            target="onnx",
            size=(width, height),
            output=own if folder is None else folder / own.name,
            force=folder is None,
        )
        artifact = export_detector(options, lambda stage: click.echo(f"  {stage}", err=True))
        size = sum(entry.size_bytes for entry in artifact.passport.files)
        click.echo(f"{artifact.path}: {size / 1e6:.2f} MB")
