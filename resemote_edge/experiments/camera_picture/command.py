"""``python -m resemote_edge.experiments camera_picture``."""

from pathlib import Path

import click


@click.command("camera_picture")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="SVG file to write.")
@click.option("--force", is_flag=True, help="Replace the file.")
def camera_picture(output: Path, force: bool) -> None:
    """Draw the README's first picture: three drawn people, as the camera command shows them.

    \b
    Example:
      python -m resemote_edge.experiments camera_picture -o docs/images/camera.svg --force
    """
    from resemote_edge.artifacts.files import write_file
    from resemote_edge.errors import InputError
    from resemote_edge.experiments.camera_picture.picture import camera_picture as draw

    if output.exists() and not force:
        raise InputError(f"{output} exists", hint="pass --force to replace it")
    picture, faces = draw()
    write_file(output, picture)
    for face in faces:
        click.echo(f"face {face.track}: {face.label}, {face.score:.0%}")
