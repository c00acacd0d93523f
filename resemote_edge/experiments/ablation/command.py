"""``python -m resemote_edge.experiments ablation``."""

import sys
from pathlib import Path

import click

from resemote_edge.cli.output import echo_written, json_option, measuring_progress, output_option


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--data", type=click.Path(path_type=Path), required=True, help="Dataset to train on. Its test split is not used."
)
@click.option("--dataset", default="auto", show_default=True, help="Kind of dataset, as in 'train'.")
@output_option("Folder for the trials and the report.", required=True)
@click.option("--device", default="auto", show_default=True, help="Device to train on: cpu, cuda or cuda:0, or auto.")
@json_option
def ablation(file: Path, data: Path, dataset: str, output: Path, device: str, as_json: bool) -> None:
    """Compare training recipes on the validation split.

    An ablation FILE is TOML. Its arms are recipes that differ in a few fields. The command trains every arm with every
    seed, and compares the networks on the validation split. Finished trials are kept in the output folder; the same
    command continues with those that are missing. It writes report.json, report.md and gains.png.

    \b
    Example:
      python -m resemote_edge.experiments ablation benchmarks/ablations/xs.toml --data fer2013.zip -o ablation-xs
    """
    from resemote_edge.errors import needs
    from resemote_edge.experiments.ablation.file import load_ablation
    from resemote_edge.experiments.ablation.report import markdown_ablation, write_ablation_report

    chosen = load_ablation(file)
    with needs("train", "training"):
        from resemote_edge.experiments.ablation.run import run_ablation

    with measuring_progress("epochs") as progress:
        outcome = run_ablation(
            chosen,
            output,
            data=data,
            dataset=dataset,
            device=device,
            notice=lambda text: click.echo(text, err=True),
            progress=progress,
        )
    if outcome.report is None:
        click.echo("interrupted; finished trials are kept, and the same command continues with the others", err=True)
        sys.exit(128 + (outcome.interrupted or 0))
    written = write_ablation_report(outcome.report, output)
    click.echo(outcome.report.to_json().decode() if as_json else markdown_ablation(outcome.report), nl=False)
    echo_written(written)
