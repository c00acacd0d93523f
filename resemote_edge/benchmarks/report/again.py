"""report_again: makes the views for people and programs again, from a report that was kept."""

from collections.abc import Sequence
from pathlib import Path

from resemote_edge.artifacts.files import refuse_files, write_file
from resemote_edge.benchmarks.report.files import REPORT_FILES, VIEW_FILES, write_views
from resemote_edge.benchmarks.report.html.evidence import gather
from resemote_edge.benchmarks.report.html.pictures.svg import embed_svg
from resemote_edge.errors import InputError
from resemote_edge.measuring.results import read_report

__all__ = ["ROOFLINES", "report_again"]

#: Folder of the rooflines beside a report.
ROOFLINES = "explain/*.svg"


def report_again(
    source: Path, output: Path | None = None, *, rooflines: Sequence[Path] = (), force: bool = False
) -> dict[str, Path]:
    """Write the views of a report again; the report itself is not changed.

    Args:
        source: File ``report.json``, with its samples beside it where they were kept, or the folder of both.
        output: Folder to write to; None for the report's own folder. Into another one, the report is copied as well.
        rooflines: Drawings for the page, in addition to the report's own `ROOFLINES`; titled by folder and file.
        force: Whether files there may be replaced.

    Returns:
        The paths written, by kind, as `write_report` has them.

    Raises:
        InputError: The report or a roofline cannot be read, samples are not those that it is of, or something is in the
            way; nothing was written.
    """
    data = source / REPORT_FILES[0] if source.is_dir() else source
    folder = data.parent if output is None else output
    elsewhere = folder.resolve() != data.parent.resolve()
    refuse_files(folder, REPORT_FILES if elsewhere else VIEW_FILES, force=force)
    report = read_report(data)
    gather(report, data.parent)  # Refuses samples of another report before anything is written.
    drawings = _drawings([*sorted(data.parent.glob(ROOFLINES)), *rooflines])
    if not elsewhere:
        return write_views(report, folder, data=data, rooflines=drawings)
    copy = folder / REPORT_FILES[0]
    write_file(copy, data.read_bytes())
    return {"json": copy, **write_views(report, folder, data=copy, samples=data.parent, rooflines=drawings)}


def _drawings(paths: Sequence[Path]) -> dict[str, str]:
    """Map title to SVG; a file named twice is shown once, and folders tell files of one name apart."""
    found: dict[str, str] = {}
    for path in dict.fromkeys(path.resolve() for path in paths):
        title = f"{path.parent.name}/{path.stem}"
        found[title if title not in found else f"{title} ({len(found) + 1})"] = _svg(path)
    return found


def _svg(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a roofline: {error}") from None
    try:
        embed_svg("roofline", path.stem, path.stem, text)
    except InputError as error:
        raise InputError(
            f"{path}: not a roofline, {error.reason}", hint="pass an SVG that 'bench explain' wrote"
        ) from None
    return text
