"""``python -m resemote_edge.experiments``: our own proofs, from a checkout."""

import click

from resemote_edge.cli import run
from resemote_edge.cli.lazy_group import LazyGroup

__all__ = ["EXPERIMENTS", "experiments"]

#: Experiment to ``module:function``, in the order ``--help`` lists them.
EXPERIMENTS: dict[str, str] = {
    "contest": "resemote_edge.experiments.contest.command:contest",
    "ablation": "resemote_edge.experiments.ablation.command:ablation",
    "verdict_check": "resemote_edge.experiments.verdict_check.command:verdict_check",
    "native_check": "resemote_edge.experiments.native_check.command:native_check",
    "gpu": "resemote_edge.experiments.gpu.command:gpu",
    "prebuilt": "resemote_edge.experiments.prebuilt.command:prebuilt",
    "tables": "resemote_edge.experiments.tables.command:tables",
}


@click.command(cls=LazyGroup, commands_at=EXPERIMENTS, context_settings={"help_option_names": ["-h", "--help"]})
def experiments() -> None:
    """Repeat the experiments that the figures in the documents come from.

    They need a checkout: an installed wheel does not carry them.

    \b
    Example:
      python -m resemote_edge.experiments contest benchmarks/contests/small-models.toml -o small-results
    """


if __name__ == "__main__":
    run(experiments, "python -m resemote_edge.experiments")
