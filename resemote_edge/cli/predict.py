"""``resemote-edge predict``."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from resemote_edge.cli.output import (
    detector_option,
    device_option,
    echo_json,
    json_option,
    min_face_score_option,
    runtime_option,
    threads_option,
)
from resemote_edge.weights import EMBEDDED

if TYPE_CHECKING:
    from resemote_edge.classifier import EmotionClassifier


@click.command()
@click.argument("images", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--crop", is_flag=True, help="The images are faces already, each cropped to one: look for none in them.")
@detector_option
@min_face_score_option
@click.option(
    "--draw",
    type=click.Path(path_type=Path),
    help="PNG file for a copy with boxes, labels and bars; for several images, a folder.",
)
@click.option("--force", is_flag=True, help="Replace files that --draw would write.")
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
    crop: bool,
    detector: str | None,
    min_face_score: float | None,
    draw: Path | None,
    force: bool,
    artifact: Path | None,
    variant: str | None,
    runtime: str,
    device: str,
    threads: int | None,
    as_json: bool,
) -> None:
    """Find the faces in IMAGES and classify their expressions.

    IMAGES are photographs of any size. The command shows each face's box and its three most likely classes. A picture
    without a face is a result, not an error. If the images are faces already, pass --crop: then the command prints the
    three most likely classes of each image.

    If neither --artifact nor --variant is given, the command uses the prebuilt artifact that comes with the package. It
    runs in ONNX Runtime or OpenVINO and needs no export. --runtime and --device are those of the classifier; the
    detector takes the first runtime that works here.

    \b
    Example:
      resemote-edge predict photo.jpg
      resemote-edge predict photo.jpg --draw annotated.png
      resemote-edge predict --crop face.png --json
    """
    from resemote_edge.classifier import load
    from resemote_edge.errors import InputError
    from resemote_edge.vision.image import require_files
    from resemote_edge.workflows.default_artifact import artifact_or_prebuilt

    if crop and (draw is not None or detector is not None or min_face_score is not None):
        raise InputError(
            "--crop says that there is nothing to detect, and --detector, --min-face-score and --draw are about faces "
            "that were detected",
            hint="leave --crop out, or the others",
        )
    require_files(images)
    opened = artifact_or_prebuilt(artifact, variant, runtime, device, lambda text: click.echo(text, err=True))
    with load(opened, runtime=runtime, device=device, threads=threads) as classifier:
        where = {
            "artifact": classifier.passport.name,
            "runtime": classifier.session.runtime,
            "device": classifier.session.device,
        }
        if crop:
            _predict_crops(images, classifier, where, as_json=as_json)
            return
        from resemote_edge.faces.detectors import open_detector
        from resemote_edge.faces.detectors.base import DetectorOptions
        from resemote_edge.faces.photographs import analyse_photographs, drawing_paths, write_drawing

        copies = [] if draw is None else drawing_paths(images, draw, force=force)
        options = DetectorOptions(threads=threads, min_score=min_face_score)
        with open_detector(detector or "yunet", options) as finder:
            where["detector"] = finder.name
            _show(
                analyse_photographs(images, finder, classifier),
                where,
                lambda number, photograph: write_drawing(photograph, copies[number]) if copies else None,
                as_json=as_json,
            )


def _show(photographs: Any, where: dict[str, str], each: Any, *, as_json: bool) -> None:
    """Print what was found in photographs, and call a function with the number and result of each."""
    from resemote_edge.cli.terminal import open_console
    from resemote_edge.cli.views.faces import add_rows, faces_table

    rows, table, empty, count = [], faces_table(), 0, 0
    for number, photograph in enumerate(photographs):
        each(number, photograph)
        count += 1
        empty += not photograph.faces
        if as_json:
            rows.append({**photograph.to_dict(), **where})
        else:
            add_rows(table, photograph)
    if as_json:
        echo_json(rows)
    else:
        open_console().print(table)
    if empty:
        pictures = "the picture" if count == 1 else f"{empty} of {count} pictures"
        click.echo(f"no face was found in {pictures}; if a picture is a face already, pass --crop", err=True)


def _predict_crops(
    images: tuple[Path, ...], classifier: "EmotionClassifier", where: dict[str, str], *, as_json: bool
) -> None:
    """Print the classes of images that are faces already."""
    from resemote_edge.vision.image import read_faces

    crops, color = read_faces(images, classifier.passport.preprocessing)
    emotions = classifier(crops, color=color)
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
