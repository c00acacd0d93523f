"""``python -m resemote_edge.experiments contest``."""

from pathlib import Path

import click

from resemote_edge.cli.output import data_option, echo_written, json_option, measuring_progress


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder for the report.")
@click.option("--force", is_flag=True, help="Replace files at the destination.")
@click.option("--rows", default=None, help="Only these rows, by name, comma-separated.")
@click.option(
    "--quick", "is_quick", is_flag=True, help="A few rounds, to see that all works; the figures mean nothing."
)
@data_option
@json_option
def contest(
    file: Path, output: Path, force: bool, rows: str | None, is_quick: bool, data: Path | None, as_json: bool
) -> None:
    """Compare with other tools: the same network through every row of the contest FILE, measured in turn.

    Each row lives in a process of its own; they take turns, round after round, so that ratios hold on a machine whose
    speed drifts. Writes report.json, report.md and ratios.png. The other tools are installed by the extra 'peers'. With
    --data, rows with trained weights are judged on the test split, too.

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
