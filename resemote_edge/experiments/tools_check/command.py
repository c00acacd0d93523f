"""``python -m resemote_edge.experiments tools_check``."""

import sys
from pathlib import Path

import click

#: Exit code when a ratio is further from 1 than the margin.
_NOT_EQUAL = 3


@click.command("tools_check")
@click.argument("artifacts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@click.option(
    "--program", type=click.Path(path_type=Path), required=True, help="Path of resemote, which 'make native' builds."
)
@click.option("--threads", type=click.IntRange(min=1), default=1, show_default=True, help="Number of CPU threads.")
@click.option(
    "--rounds", type=click.IntRange(min=1), default=7, show_default=True, help="Number of turns of each side."
)
@click.option(
    "--seconds", type=click.FloatRange(min=0.0), default=2.0, show_default=True, help="Shortest time of a measurement."
)
@click.option(
    "--runs", type=click.IntRange(min=1), default=400, show_default=True, help="Smallest number of timed calls."
)
@click.option("--force", is_flag=True, help="Replace the file.")
def tools_check(
    artifacts: tuple[Path, ...],
    output: Path,
    program: Path,
    threads: int,
    rounds: int,
    seconds: float,
    runs: int,
    force: bool,
) -> None:
    """Compare 'resemote bench' with 'resemote-edge bench --runtime native'.

    Both measure each of ARTIFACTS in turn, through the same library, in fresh processes on the same cores. The exit
    code is 3 if the ratio of their medians differs from 1 by more than 5 %.

    \b
    Example:
      python -m resemote_edge.experiments tools_check ARTIFACT -o tools.json \\
        --program build/native-release/runtimes/tools/resemote
    """
    from resemote_edge.artifacts.artifact import Artifact
    from resemote_edge.artifacts.files import write_file
    from resemote_edge.errors import InputError
    from resemote_edge.experiments.tools_check.check import check_tools, tools_check_table
    from resemote_edge.measuring.scenarios import ScenarioSettings

    if output.exists() and not force:
        raise InputError(f"{output} exists", hint="pass --force to replace it")
    found = check_tools(
        [Artifact.load(path) for path in artifacts],
        program,
        threads=threads,
        rounds=rounds,
        settings=ScenarioSettings(warmup_seconds=5.0, min_runs=runs, min_seconds=seconds),
        notice=lambda text: click.echo(text, err=True),
    )
    write_file(output, found.to_json())
    click.echo(tools_check_table(found), nl=False)
    if not all(subject.agrees for subject in found.subjects):
        sys.exit(_NOT_EQUAL)
