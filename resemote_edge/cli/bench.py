"""``resemote-edge bench``: measures artifacts; other work with measurements has commands below it."""

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
}


@click.group(
    cls=LazyGroup,
    commands_at=BENCH_COMMANDS,
    default="run",
    subcommand_metavar="[ARTIFACTS]... | COMMAND [ARGS]...",
)
def bench() -> None:
    """Measure latency, throughput, memory, size and (with --data) accuracy of ARTIFACTS.

    Every row is measured in a process of its own. Without ARTIFACTS, the embedded weights are exported for the runtime
    into artifacts/ first, or taken from there if they were exported before. What the options below say is 'bench run',
    which need not be named.

    \b
    Example:
      resemote-edge bench --runtime openvino
      resemote-edge bench artifacts/* --runtime all --batch 1,8 --data fer2013.zip -o bench-results
      resemote-edge bench suite benchmarks/suites/machine.toml -o suite-results --data fer2013.zip
      resemote-edge bench compare before/report.json after/report.json
      resemote-edge bench report bench-results --force
      resemote-edge bench explain artifacts/resemotenet-base-fer2013-openvino-fp32 -o explained
    """
