"""``python -m resemote_edge.experiments camera_check``."""

from pathlib import Path

import click

from resemote_edge.cli.output import runtime_option, threads_option

#: People in view, and the factor by which the networks are slowed, for each scene.
_SCENES = ((1, 1), (2, 1), (4, 1), (2, 10))


@click.command("camera_check")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@click.option("--artifact", type=click.Path(path_type=Path), help="Artifact of the classifier.  [default: prebuilt]")
@click.option("--python", default="/usr/bin/python3", show_default=True, help="Python with the bindings of GStreamer.")
@click.option("--seconds", type=click.FloatRange(min=1), default=60.0, show_default=True, help="Length of each scene.")
@click.option(
    "--soak",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="Length of a long scene, in seconds; 0 for none.",
)
@click.option(
    "--kills",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    help="Times that the server is killed; 0 for none.",
)
@runtime_option("auto")
@threads_option
@click.option("--force", is_flag=True, help="Replace the file.")
def camera_check(
    output: Path,
    artifact: Path | None,
    python: str,
    seconds: float,
    soak: float,
    kills: int,
    runtime: str,
    threads: int | None,
    force: bool,
) -> None:
    """Watch drawn people over RTSP, and see what the camera command keeps up with.

    A server in a process of its own shows films of 1280x720 pixels at 30 frames a second. The command measures the age
    of decisions with one, two and four people, with networks that are slowed tenfold, and while the server is killed
    and started again. It also looks at what grows: memory, threads and descriptors. Then it looks at sinks behind which
    nobody reads, and at how often labels change on a film whose truth is known.

    \b
    Example:
      python -m resemote_edge.experiments camera_check -o camera.json --artifact artifacts/xs-openvino-int8
    """
    from resemote_edge.artifacts.files import write_file
    from resemote_edge.camera.watch import WatchOptions
    from resemote_edge.errors import InputError
    from resemote_edge.experiments.camera_check.check import check_camera
    from resemote_edge.experiments.camera_check.report import camera_check_table

    if output.exists() and not force:
        raise InputError(f"{output} exists", hint="pass --force to replace it")
    found = check_camera(
        python,
        WatchOptions(artifact=artifact, runtime=runtime, threads=threads),
        seconds=seconds,
        soak_seconds=soak,
        scenes=_SCENES,
        kills=kills,
        notice=lambda text: click.echo(text, err=True),
    )
    write_file(output, found.to_json())
    click.echo(camera_check_table(found), nl=False)
