"""``python -m resemote_edge.experiments contest``."""

from pathlib import Path

import click

from resemote_edge.cli.output import data_option, echo_written, json_option, measuring_progress


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder to write the report into.")
@click.option("--force", is_flag=True, help="Replace an earlier report in the folder.")
@click.option("--rows", default=None, help="Names of the rows to measure, separated by commas.  [default: all]")
@click.option(
    "--quick",
    "is_quick",
    is_flag=True,
    help="Measure only a few rounds, to see whether everything works. The figures mean nothing.",
)
@data_option
@json_option
def contest(
    file: Path, output: Path, force: bool, rows: str | None, is_quick: bool, data: Path | None, as_json: bool
) -> None:
    """Compare this project with other tools.

    A contest FILE is TOML. Each of its rows is another tool, or a recipe and a runtime of this project. All rows run
    the same network, unless they name other weights. Each row runs in its own process, and the rows take turns, round
    after round, so that their ratios hold on a machine whose speed drifts.

    The extra 'peers' installs the other tools. With --data, the accuracy of rows with trained weights is measured on
    the test split. The command writes report.json, report.md and ratios.png.

    \b
    Example:
      python -m resemote_edge.experiments contest benchmarks/contests/compaction-int8.toml -o results
      python -m resemote_edge.experiments contest benchmarks/contests/small-models.toml -o small --data fer2013.zip
      python -m resemote_edge.experiments contest FILE -o out --rows onnxruntime-fp32,ours-fp32-onnxruntime --quick
    """
    from resemote_edge.artifacts.files import refuse_files
    from resemote_edge.experiments.contest.file import choose_rows, load_contest
    from resemote_edge.experiments.contest.report import CONTEST_FILES, markdown_contest, write_contest_report
    from resemote_edge.experiments.contest.run import quick, run_contest

    chosen = load_contest(file)
    if rows is not None:
        chosen = choose_rows(chosen, rows)
    if is_quick:
        chosen = quick(chosen)
    refuse_files(output, CONTEST_FILES, force=force)
    with measuring_progress("measuring") as update:
        report = run_contest(
            chosen,
            notice=lambda text: click.echo(text, err=True),
            progress=lambda share: update(round(share * 100), 100),
            data=data,
        )
    click.echo(report.to_json().decode() if as_json else markdown_contest(report), nl=False)
    echo_written(write_contest_report(report, output), ("picture",) if report.ratios else ())
