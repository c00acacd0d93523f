"""``python -m resemote_edge.experiments``: experiments that prove what the documents say. They need a checkout."""

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
    "tools_check": "resemote_edge.experiments.tools_check.command:tools_check",
    "camera_check": "resemote_edge.experiments.camera_check.command:camera_check",
    "camera_picture": "resemote_edge.experiments.camera_picture.command:camera_picture",
    "detector_check": "resemote_edge.experiments.detector_check.command:detector_check",
    "gpu": "resemote_edge.experiments.gpu.command:gpu",
    "prebuilt": "resemote_edge.experiments.prebuilt.command:prebuilt",
    "tables": "resemote_edge.experiments.tables.command:tables",
}


@click.command(cls=LazyGroup, commands_at=EXPERIMENTS, context_settings={"help_option_names": ["-h", "--help"]})
def experiments() -> None:
    """Repeat the experiments behind the figures in the documents.

    The experiments need a checkout; an installed wheel does not contain them.

    \b
    Example:
      python -m resemote_edge.experiments contest benchmarks/contests/small-models.toml -o small-results
    """


if __name__ == "__main__":
    run(experiments, "python -m resemote_edge.experiments")
