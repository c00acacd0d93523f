"""``python -m resemote_edge.experiments verdict_check``."""

import sys
from pathlib import Path
from typing import Any

import click

from resemote_edge.cli.output import given, output_option

#: Exit code when too few comparisons were right, or one took too long.
_NOT_PASSED = 3


@click.command("verdict_check")
@click.argument("artifact", type=click.Path(path_type=Path))
@output_option("Folder for the results. The command continues a check that it finds there.", required=True)
@click.option("--count", type=int, default=20, show_default=True, help="Number of comparisons of each kind.")
@click.option(
    "--slow-by", type=float, default=None, help="Factor by which the slowed artifact is slower.  [default: 1.1]"
)
@click.option("--runtime", default="auto", show_default=True, help="Runtime to use, or auto.")
@click.option(
    "--threads", type=int, default=None, help="Number of CPU threads the runtime may use.  [default: all cores]"
)
@click.option(
    "--seconds", type=float, default=None, help="Seconds to measure in each comparison, as in 'bench compare --live'."
)
@click.option(
    "--restarts", type=int, default=None, help="Number of restarts in each comparison, as in 'bench compare --live'."
)
@click.option(
    "--margin", type=float, default=None, help="Smallest difference that counts, as in 'bench compare --live'."
)
def verdict_check(artifact: Path, output: Path, count: int, slow_by: float | None, **options: Any) -> None:
    """Measure how often 'bench compare --live' is right.

    The command compares ARTIFACT with itself and with a slowed copy of itself, many times each, and counts the right
    verdicts. Every comparison is kept; after an interruption, the same command continues. The exit code is 0 if enough
    verdicts were right and no comparison took too long, and 3 otherwise.

    \b
    Example:
      python -m resemote_edge.experiments verdict_check ARTIFACT -o verdict-check --seconds 15
    """
    from resemote_edge.artifacts.artifact import Artifact
    from resemote_edge.experiments.verdict_check.check import SLOW_DOWN, Experiment, run_experiment
    from resemote_edge.experiments.verdict_check.report import comparison_validity_markdown
    from resemote_edge.measuring.comparison.live import LiveRequest
    from resemote_edge.measuring.processes.stopping import Stop, stoppable

    try:
        with stoppable():
            loaded = Artifact.load(artifact)
            request = LiveRequest(a=loaded, b=loaded, **given(options))
            slow_down = SLOW_DOWN if slow_by is None else slow_by
            experiment = Experiment(request=request, count=count, slow_down=slow_down, folder=output)
            summary = run_experiment(experiment, lambda text: click.echo(text, err=True))
    except Stop as stop:
        click.echo("stopped; the same command continues with what is missing", err=True)
        sys.exit(128 + stop.signal)
    click.echo(comparison_validity_markdown(summary), nl=False)
    if not summary.passed:
        sys.exit(_NOT_PASSED)
