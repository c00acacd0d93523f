"""``resemote-edge bench import``."""

from pathlib import Path

import click

from resemote_edge.cli.output import echo_json, echo_written, json_option, output_option


@click.command("import")
@click.argument("reports", type=click.Path(path_type=Path), nargs=-1, required=True)
@output_option("Folder to write into; each report gets a folder of its own in it, named after the file.")
@click.option("--force", is_flag=True, help="Replace earlier reports in the folder.")
@json_option
def import_(reports: tuple[Path, ...], output: Path | None, force: bool, as_json: bool) -> None:
    """Check REPORTS that were measured on other machines, and put them beside others.

    REPORTS are files that 'resemote bench -o' wrote on boards without Python. Each is checked first: a field that is
    missing, unknown, of another type, or that contradicts another, is an error that names it. With -o, the command
    writes report.json, report.csv, report.md, report.html and latency.png for each of them. 'bench report', 'bench
    compare' and the table of devices take them as they take those of this machine.

    \b
    Example:
      resemote-edge bench import board.json
      resemote-edge bench import nano.json orin.json -o bench-results
      resemote-edge bench compare bench-results/nano bench-results/orin --force
    """
    from resemote_edge.artifacts.files import refuse_files
    from resemote_edge.artifacts.record import refuse_repeated
    from resemote_edge.benchmarks.report.files import REPORT_FILES, write_report
    from resemote_edge.benchmarks.report.imported import import_report
    from resemote_edge.cli.views.bench import show_report

    refuse_repeated("the name", (path.stem for path in reports))
    for path in reports:
        refuse_files(None if output is None else output / path.stem, REPORT_FILES, force=force)
    imported = {path: import_report(path) for path in reports}
    written = {}
    for path, report in imported.items():
        if not as_json:
            click.echo(f"{path}: {report.environment.get('board') or report.environment['cpu_model']}")
            show_report(report, as_json=False)
        if output is not None:
            files = write_report(report, output / path.stem)
            written[str(path)] = {kind: str(file) for kind, file in files.items()}
            if not as_json:
                echo_written(files, ("page",))
    if as_json:
        echo_json({str(path): {"rows": len(report.rows), "written": written.get(str(path), {})}
                   for path, report in imported.items()})  # fmt: skip
