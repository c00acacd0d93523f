"""``resemote-edge predict``."""

from pathlib import Path

import click

from resemote_edge.cli.output import (
    device_option,
    echo_json,
    json_option,
    runtime_option,
    threads_option,
    variant_option,
)


@click.command()
@click.argument("images", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "--artifact", type=click.Path(path_type=Path), help="Artifact made by export.  [default: the embedded weights]"
)
@variant_option
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
    """Classify face crops: IMAGES are image files that show one face each, cropped to it.

    \b
    Example:
      resemote-edge predict face.png
      resemote-edge predict *.png --artifact artifacts/resemotenet-base-fer2013-openvino-fp32 --json
    """
    from resemote_edge.classifier import load
    from resemote_edge.vision.image import read_face
    from resemote_edge.workflows.default_artifact import artifacts_or_default

    crops = [read_face(path) for path in images]
    named = [] if artifact is None else [artifact]
    opened = artifacts_or_default(named, runtime, device, lambda text: click.echo(text, err=True), variant)
    with load(opened[0], runtime=runtime, device=device, threads=threads) as classifier:
        emotions = classifier(crops, color="rgb")
        where = {"runtime": classifier.session.runtime, "device": classifier.session.device}
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
