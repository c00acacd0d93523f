"""``python -m resemote_edge.experiments detector_check``."""

from pathlib import Path

import click


@click.command("detector_check")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@click.option(
    "--frames", type=click.IntRange(min=1), default=100, show_default=True, help="Frames, with five people each."
)
@click.option("--threads", type=click.IntRange(min=1), default=2, show_default=True, help="CPU threads of a detector.")
@click.option("--force", is_flag=True, help="Replace the file.")
def detector_check(output: Path, frames: int, threads: int, force: bool) -> None:
    """See how small a face the prebuilt detectors find, and how long they take.

    Each frame shows drawn people whose faces are 20 to 160 pixels wide. Every detector looks at all of them in every
    runtime that works here. Drawn people are no photographs: the figures tell sizes and runtimes apart, and no more.

    \b
    Example:
      python -m resemote_edge.experiments detector_check -o detectors.json
    """
    from resemote_edge.artifacts.files import write_file
    from resemote_edge.errors import InputError
    from resemote_edge.experiments.detector_check.check import check_detectors
    from resemote_edge.experiments.detector_check.report import detector_check_table

    if output.exists() and not force:
        raise InputError(f"{output} exists", hint="pass --force to replace it")
    found = check_detectors(frames=frames, threads=threads, notice=lambda text: click.echo(text, err=True))
    write_file(output, found.to_json())
    click.echo(detector_check_table(found), nl=False)
