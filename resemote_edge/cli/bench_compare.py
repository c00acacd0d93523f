"""``resemote-edge bench compare``."""

from collections.abc import Container
from pathlib import Path
from typing import Any

import click

from resemote_edge.cli.output import (
    device_option,
    echo_written,
    given,
    json_option,
    measuring_progress,
    output_option,
    precision_hint_option,
    runtime_option,
    threads_option,
)


@click.command()
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--live", is_flag=True, help="Take A and B as artifacts, and measure them in turn on this machine.")
@click.option(
    "--margin",
    type=click.FloatRange(min=0.0, max=1.0, max_open=True),
    default=None,
    help="Smallest difference that counts, as a fraction of the time.  [default: 0.05; with --live 0.03]",
)
@click.option(
    "--force",
    is_flag=True,
    help="Compare reports although their machines or settings differ. With --live, replace the files in -o.",
)
@json_option
@runtime_option("auto")
@click.option("--runtime-b", default=None, help="Runtime for B, if it differs from A's.")
@device_option
@threads_option
@click.option(
    "--batch", type=click.IntRange(min=1, max=4096), default=1, show_default=True, help="Number of crops per call."
)
@click.option(
    "--timed",
    type=click.Choice(["model", "decision"]),
    default="model",
    show_default=True,
    help="Time to compare: the model alone, or the whole way from face crops to decisions.",
)
@precision_hint_option
@click.option(
    "--seconds",
    type=click.FloatRange(min=0.0, min_open=True),
    default=None,
    help="Seconds to measure. Starting the processes takes additional time.  [default: 45]",
)
@click.option(
    "--restarts", type=click.IntRange(min=6), default=None, help="Number of pairs of fresh processes.  [default: 9]"
)
@output_option("Folder for the result and every sample.")
@click.pass_context
def compare(
    context: click.Context,
    /,
    a: Path,
    b: Path,
    live: bool,
    margin: float | None,
    force: bool,
    as_json: bool,
    timed: str,
    output: Path | None,
    **options: Any,
) -> None:
    """Tell whether B is faster or slower than A.

    The exit code is 3 if B is slower, and 0 if B is faster or no difference was shown.

    A and B are reports of 'bench', or the folders that hold them. Rows of the same artifact and settings are compared,
    from their samples if 'bench -o' kept them. Reports from different machines or with different settings are refused;
    --force compares them anyway and lists what differs.

    With --live, A and B are artifacts. The command measures them in turn on this machine, in several pairs of fresh
    processes, which takes about a minute. The options from --runtime on need --live. With -o, the command writes
    comparison.json, comparison.md, samples.npz and distributions.png.

    \b
    Example:
      resemote-edge bench compare before/report.json after/report.json
      resemote-edge bench compare --live artifacts/a artifacts/b --threads 2 -o comparison
      resemote-edge bench compare --live artifacts/a artifacts/a --runtime openvino --runtime-b onnxruntime
    """
    if not live:
        _refuse_live_options(context, {"timed", "output", *options})
        raise SystemExit(_compare_reports(a, b, margin=margin, force=force, as_json=as_json))

    from resemote_edge.artifacts.artifact import Artifact
    from resemote_edge.artifacts.files import refuse_files
    from resemote_edge.benchmarks.compare.live_report import LIVE_FILES, markdown_live_comparison, write_live_comparison
    from resemote_edge.measuring.comparison.live import LiveRequest, compare_live

    refuse_files(output, LIVE_FILES, force=force)
    request = LiveRequest(
        a=Artifact.load(a),
        b=Artifact.load(b),
        quantity="model" if timed == "model" else "crop to decision",
        **given(options | {"margin": margin}),
    )
    with measuring_progress("measuring") as update:
        run = compare_live(request, progress=lambda share: update(round(share * 100), 100))
    click.echo(run.comparison.to_json().decode() if as_json else markdown_live_comparison(run.comparison), nl=False)
    if output is not None:
        echo_written(write_live_comparison(run, output))
    raise SystemExit(3 if run.comparison.slower else 0)


def _compare_reports(a: Path, b: Path, *, margin: float | None, force: bool, as_json: bool) -> int:
    from resemote_edge.benchmarks.compare.reports import REPORT_MARGIN, compare_reports
    from resemote_edge.benchmarks.compare.text import markdown_report_comparison

    found = compare_reports(a, b, margin=REPORT_MARGIN if margin is None else margin, force=force)
    click.echo(found.to_json().decode() if as_json else markdown_report_comparison(found), nl=False)
    return 3 if found.slower else 0


def _refuse_live_options(context: click.Context, live_only: Container[str | None]) -> None:
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in live_only and source is not click.core.ParameterSource.DEFAULT:
            raise click.UsageError(f"{option.opts[-1]} belongs to --live, which measures artifacts", context)
