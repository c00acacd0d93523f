"""``resemote-edge predict``."""

from pathlib import Path

import click

from resemote_edge.cli.output import (
    device_option,
    echo_json,
    json_option,
    runtime_option,
    threads_option,
)
from resemote_edge.weights import EMBEDDED


@click.command()
@click.argument("images", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--artifact",
    type=click.Path(path_type=Path),
    help="Artifact to use, made by 'export'.  [default: the prebuilt one]",
)
@click.option("--variant", help=f"Embedded weights to export for the runtime on first use: {', '.join(EMBEDDED)}.")
@runtime_option("auto")
@device_option
@threads_option
@json_option
def predict(
    images: tuple[Path, ...],
    artifact: Path | None,
    variant: str | None,
    runtime: str,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Classify the facial expression in IMAGES.

    IMAGES are image files; each shows one face and is cropped to it. The command prints the three most likely classes
    of each image.

    If neither --artifact nor --variant is given, the command uses the prebuilt artifact that comes with the package. It
    runs in ONNX Runtime or OpenVINO and needs no export.

    \b
    Example:
      resemote-edge predict face.png
      resemote-edge predict *.png --artifact artifacts/resemotenet-base-fer2013-openvino-fp32 --json
    """
    from resemote_edge.classifier import load
    from resemote_edge.vision.image import read_faces, require_files
    from resemote_edge.workflows.default_artifact import artifact_or_prebuilt

    require_files(images)
    opened = artifact_or_prebuilt(artifact, variant, runtime, device, lambda text: click.echo(text, err=True))
    crops, color = read_faces(images, opened.passport.preprocessing)
    with load(opened, runtime=runtime, device=device, threads=threads) as classifier:
        emotions = classifier(crops, color=color)
        where = {
            "artifact": classifier.passport.name,
            "runtime": classifier.session.runtime,
            "device": classifier.session.device,
        }
    if as_json:
        rows = [
            {"image": str(path), "label": e.label, "score": e.score, "probabilities": e.probabilities, **where}
            for path, e in zip(images, emotions, strict=True)
        ]
        echo_json(rows)
        return
    for path, emotion in zip(images, emotions, strict=True):
        ranked = sorted(emotion.probabilities.items(), key=lambda item: -item[1])[:3]
        click.echo(f"{path}: " + ", ".join(f"{label} {share * 100:.1f} %" for label, share in ranked))
