"""``resemote-edge bench report``."""

from pathlib import Path

import click

from resemote_edge.cli.output import echo_json, echo_written, json_option, output_option


@click.command()
@click.argument("report", type=click.Path(path_type=Path), required=False)
@output_option("Folder to write into.  [default: the folder of the report]")
@click.option("--force", is_flag=True, help="Replace the files in the folder.")
@click.option(
    "--roofline",
    "rooflines",
    type=click.Path(path_type=Path),
    multiple=True,
    help="Roofline to show on the page: an SVG that 'bench explain' wrote. May be given several times.",
)
@click.option("--schema", is_flag=True, help="Print the JSON schema of reports, and exit.")
@json_option
@click.pass_context
def report(
    context: click.Context,
    report: Path | None,
    output: Path | None,
    force: bool,
    rooflines: tuple[Path, ...],
    schema: bool,
    as_json: bool,
) -> None:
    """Write the files of a report again from its report.json.

    REPORT is a report.json or the folder that holds it. The command writes report.csv, report.md, report.html and
    latency.png, and copies report.json if -o names another folder. The pictures show every sample if samples/ is beside
    the report. The page also shows the rooflines in explain/ beside the report.

    \b
    Example:
      resemote-edge bench report bench-results --force
      resemote-edge bench report bench-results/report.json -o page --roofline explained/roofline.svg
      resemote-edge bench report --schema
    """
    if schema:
        _print_schema(context)
        return
    if report is None:
        raise click.UsageError("Missing argument 'REPORT', a report.json or its folder (or pass --schema).", context)

    from resemote_edge.benchmarks.report.again import report_again

    written = report_again(report, output, rooflines=rooflines, force=force)
    if as_json:
        echo_json({"written": {kind: str(path) for kind, path in written.items()}})
    echo_written(written, ("page",))


def _print_schema(context: click.Context) -> None:
    given = [
        option.name
        for option in context.command.params
        if option.name not in (None, "schema", "as_json")
        and context.get_parameter_source(option.name or "") is not click.core.ParameterSource.DEFAULT
    ]
    if given:
        raise click.UsageError(
            "--schema prints the schema of all reports, and cannot be combined with other arguments", context
        )

    from resemote_edge.benchmarks.report.schema import report_schema

    echo_json(report_schema())
