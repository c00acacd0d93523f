"""``resemote-edge bench``: measures artifacts; its subcommands do other work with measurements."""

import click

from resemote_edge.cli.lazy_group import LazyGroup

__all__ = ["BENCH_COMMANDS", "bench"]

#: Command to ``module:function``, in the order ``--help`` lists them.
BENCH_COMMANDS: dict[str, str] = {
    "run": "resemote_edge.cli.bench_run:run",
    "suite": "resemote_edge.cli.bench_suite:suite",
    "explain": "resemote_edge.cli.bench_explain:explain",
    "compare": "resemote_edge.cli.bench_compare:compare",
    "report": "resemote_edge.cli.bench_report:report",
    "import": "resemote_edge.cli.bench_import:import_",
}


@click.group(
    cls=LazyGroup, commands_at=BENCH_COMMANDS, default="run", subcommand_metavar="[ARTIFACTS]... | COMMAND [ARGS]..."
)
def bench() -> None:
    """Measure latency, memory, size and accuracy of ARTIFACTS.

    ARTIFACTS are folders that 'export' made. If none is named, the embedded weights are exported into artifacts/ first,
    for each runtime that is measured; an export that is already there is used again. Accuracy is measured if --data
    names a dataset.

    'bench' without a command is 'bench run', and the options below are those of 'bench run'.

    \b
    Example:
      resemote-edge bench --runtime openvino
      resemote-edge bench artifacts/* --runtime all --batch 1,8 --data fer2013.zip -o bench-results
      resemote-edge bench suite benchmarks/suites/machine.toml -o suite-results --data fer2013.zip
      resemote-edge bench compare before/report.json after/report.json
      resemote-edge bench report bench-results --force
      resemote-edge bench import board.json -o bench-results
      resemote-edge bench explain artifacts/resemotenet-base-fer2013-openvino-fp32 -o explained
    """
