"""Files of a report: JSON, CSV, Markdown, a picture and a page, from a `BenchReport`."""

from collections.abc import Mapping
from pathlib import Path

from resemote_edge.artifacts.files import write_file
from resemote_edge.benchmarks.report.csv import csv_report
from resemote_edge.benchmarks.report.html.page import render_page
from resemote_edge.benchmarks.report.markdown import markdown_report
from resemote_edge.benchmarks.report.picture import draw_latency
from resemote_edge.errors import where_installed
from resemote_edge.measuring.results import BenchReport

__all__ = ["REPORT_FILES", "VIEW_FILES", "write_report", "write_views"]

#: Names of the files that `write_report` writes.
REPORT_FILES = ("report.json", "report.csv", "report.md", "latency.png", "report.html")

#: Names of the files that `write_views` writes, from the first of them.
VIEW_FILES = REPORT_FILES[1:]


def write_report(report: BenchReport, folder: Path) -> dict[str, Path]:
    """Write ``report.json``, and what `write_views` makes of it.

    Args:
        report: Report of the measurements.
        folder: Folder to write to; created if need be. Samples that the report names are looked for in it.

    Returns:
        The paths written, by kind (``json`` and those of `write_views`).

    Raises:
        InputError: Samples in the folder are not those of the report; everything but the page is written.
    """
    data = folder / REPORT_FILES[0]
    write_file(data, report.to_json())
    return {"json": data, **write_views(report, folder, data=data)}


def write_views(
    report: BenchReport,
    folder: Path,
    *,
    data: Path,
    samples: Path | None = None,
    rooflines: Mapping[str, str] | None = None,
) -> dict[str, Path]:
    """Write ``report.csv``, ``report.md``, and what needs the extra ``report``.

    That is ``latency.png``, if there are rows, and ``report.html``. A view that cannot be drawn here is left out, and
    an old one is removed, because it would show other figures.

    Args:
        report: Report of the measurements.
        folder: Folder to write to; created if need be.
        data: File of the report's JSON; the page links to it if it lies in `folder`.
        samples: Folder that names of samples are relative to; None for that of the JSON.
        rooflines: Drawings for the page, title to SVG.

    Returns:
        The paths written, by kind (``csv``, ``markdown``, ``picture``, ``page``).

    Raises:
        InputError: Samples are not those of the report, or a roofline is no SVG; everything but the page is written.
    """
    table, text, picture, page = (folder / name for name in VIEW_FILES)
    page.unlink(missing_ok=True)
    write_file(table, csv_report(report))
    written = {"csv": table, "markdown": text}
    with where_installed("matplotlib"):
        if report.rows:
            draw_latency(report, picture)
            written["picture"] = picture
    if "picture" not in written:
        picture.unlink(missing_ok=True)
    write_file(text, markdown_report(report, picture.name if "picture" in written else None))
    files = [path.name for path in (data, *written.values()) if path.parent == folder]
    with where_installed("matplotlib", "jinja2", "markupsafe"):
        write_file(page, render_page(report, folder=samples or data.parent, files=files, rooflines=rooflines))
        written["page"] = page
    return written
