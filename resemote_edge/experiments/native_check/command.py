"""``python -m resemote_edge.experiments native_check``."""

import sys
from pathlib import Path

import click

#: Exit code when a class or a probability differs.
_NOT_EQUAL = 3


@click.command("native_check")
@click.argument("artifacts", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@click.option(
    "--program",
    type=click.Path(path_type=Path),
    required=True,
    help="Path of the program session_overhead, which 'make native' builds.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="FER2013. If it is left out, predictions for its images are not compared.",
)
@click.option("--threads", type=int, default=2, show_default=True, help="Number of CPU threads of the engines.")
@click.option(
    "--rounds", type=click.IntRange(min=2), default=50, show_default=True, help="Number of turns of each side."
)
@click.option("--force", is_flag=True, help="Replace the file.")
def native_check(
    artifacts: tuple[Path, ...], output: Path, program: Path, data: Path | None, threads: int, rounds: int, force: bool
) -> None:
    """Compare the C library with the engines' API and Python.

    For each of ARTIFACTS, the command measures how much time a session of the C library adds to an inference, how much
    faster than Python it classifies a frame, and whether it predicts the same. The exit code is 3 if a class differs,
    or if a probability differs by more than 1e-5.

    \b
    Example:
      python -m resemote_edge.experiments native_check ARTIFACT -o native.json --data fer2013.zip \\
        --program build/native-release/runtimes/benchmarks/session_overhead
    """
    from resemote_edge.artifacts.artifact import Artifact
    from resemote_edge.artifacts.files import write_file
    from resemote_edge.data.registry import load_dataset
    from resemote_edge.errors import InputError
    from resemote_edge.experiments.native_check.check import LIMIT, measure
    from resemote_edge.experiments.native_check.report import native_validity_table

    if output.exists() and not force:
        raise InputError(f"{output} exists", hint="pass --force to replace it")
    found = measure(
        [Artifact.load(path) for path in artifacts],
        program,
        threads=threads,
        rounds=rounds,
        data=None if data is None else load_dataset(data, splits=("test",))["test"],
        notice=lambda text: click.echo(text, err=True),
    )
    write_file(output, found.to_json())
    click.echo(native_validity_table(found), nl=False)
    parities = [subject.parity for subject in found.subjects if subject.parity is not None]
    if any(one.other_top_class or one.max_probability_difference > LIMIT for one in parities):
        sys.exit(_NOT_EQUAL)
