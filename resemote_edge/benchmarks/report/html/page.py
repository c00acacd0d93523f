"""render_page: a whole report as one file of HTML."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from resemote_edge import __version__
from resemote_edge.benchmarks.report.columns import ACCURACY_COLUMNS, NOT_MEASURED, OUTCOME_COLUMNS
from resemote_edge.benchmarks.report.html.cells import Table, make_table, row_columns, unmeasured_table, validity_table
from resemote_edge.benchmarks.report.html.comparisons import accuracy_exhibit, bests, scenario_order, throughput_exhibit
from resemote_edge.benchmarks.report.html.energy import energy_exhibit, energy_reasons, energy_table, has_energy
from resemote_edge.benchmarks.report.html.evidence import Evidence, gather
from resemote_edge.benchmarks.report.html.facts import facts_of, machine_line
from resemote_edge.benchmarks.report.html.glossary import GLOSSARY
from resemote_edge.benchmarks.report.html.pictures.gallery import Exhibit, scenario_exhibits
from resemote_edge.benchmarks.report.html.pictures.svg import embed_svg
from resemote_edge.benchmarks.report.html.series import SeriesIndex
from resemote_edge.machine.throttling import throttling_text
from resemote_edge.measuring.results import BenchReport, BenchRow
from resemote_edge.measuring.scenarios import SCENARIOS

__all__ = ["render_page"]

_TEMPLATES = "resemote_edge.benchmarks.report.html"


@dataclass(frozen=True)
class _Section:
    """Part of the page about one scenario."""

    name: str
    anchor: str
    summary: str
    table: Table | None
    exhibits: list[Exhibit]


def render_page(
    report: BenchReport,
    *,
    folder: Path | None = None,
    files: Sequence[str] = (),
    rooflines: Mapping[str, str] | None = None,
) -> str:
    """Render a report as one page that loads nothing from anywhere.

    Args:
        report: Report of the measurements.
        folder: Folder that the report lies in, for its samples; None for none.
        files: Names of the files beside the page that it links to.
        rooflines: Explanations of where time goes, title to SVG.

    Returns:
        The page as HTML, the same for the same input.

    Raises:
        ImportError: matplotlib or jinja2 is not installed.
        InputError: Samples are not those of the report, or a roofline is no SVG.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    templates = Environment(
        loader=PackageLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (_resource(name) for name in ("report.css", "report.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    # Only pictures drawn or cleaned here, and two files of this package, are not escaped.
    templates.filters["inline"] = Markup
    return templates.get_template("report.html.j2").render(
        style=Markup(style),
        script=Markup(script),
        script_source=f"'sha256-{digest}'",
        version=__version__,
        not_measured=NOT_MEASURED,
        glossary=GLOSSARY,
        files=files,
        **_content(report, gather(report, folder), rooflines or {}),
    )


def _resource(name: str) -> str:
    return resources.files(_TEMPLATES).joinpath("templates", name).read_text(encoding="utf-8")


def _content(report: BenchReport, evidence: list[Evidence], rooflines: Mapping[str, str]) -> dict[str, Any]:
    """The values that the template fills in."""
    rows = report.rows
    series = SeriesIndex(rows)
    accuracy = accuracy_exhibit(rows, series) if rows else None
    drawn = [
        Exhibit(embed_svg(f"roofline-{at}", title, title, svg), title)
        for at, (title, svg) in enumerate(rooflines.items())
    ]
    return {
        "machine": machine_line(report.environment),
        "created": report.created_utc,
        "facts_shown": _headline(report),
        "suite": report.suite,
        "validity": validity_table(report.validity),
        "bests": bests(rows, series) if rows else [],
        "series": series,
        "rows": make_table(row_columns(report), rows, series),
        "unmeasured": unmeasured_table(report.unmeasured),
        "sections": [_section(at, name, evidence, series) for at, name in enumerate(scenario_order(rows))],
        "accuracy": accuracy,
        "accuracies": _accuracies(rows, series),
        "throughput": throughput_exhibit(rows, series) if rows else None,
        "rooflines": drawn,
        "energy": energy_table(rows, series),
        "energy_picture": energy_exhibit(rows, series),
        "energy_reasons": energy_reasons(rows),
        "environment": facts_of(report.environment),
        "settings": [] if report.settings is None else facts_of(msgspec.to_builtins(report.settings)),
    }


def _section(at: int, name: str, evidence: Sequence[Evidence], series: SeriesIndex) -> _Section:
    mine = [found for found in evidence if found.row.scenario == name]
    spoken = [found.row for found in mine if found.row.speed.outcome is not None]
    columns = OUTCOME_COLUMNS.get(name)
    table = make_table(columns, spoken, series) if columns is not None and spoken else None
    summary = SCENARIOS[name].summary if name in SCENARIOS else ""
    # The name of an unknown scenario may be no valid anchor.
    anchor = name if name in SCENARIOS else f"scenario-{at}"
    return _Section(name, anchor, summary, table, scenario_exhibits(anchor, mine, series))


def _accuracies(rows: Sequence[BenchRow], series: SeriesIndex) -> Table | None:
    once = {(row.artifact, row.runtime): row for row in reversed(rows) if row.accuracy is not None}
    return make_table(ACCURACY_COLUMNS, reversed(once.values()), series) if once else None


def _headline(report: BenchReport) -> list[tuple[str, str]]:
    """Say line by line what was measured, and what was not and why."""
    rows = report.rows
    facts = [("measured", _measured(rows))]
    if report.suite is not None:
        facts.insert(0, ("suite", f"{report.suite.name}: {report.suite.description}"))
    facts.append(("timed on", f"{report.inputs}; {_manner(rows)}" if rows else report.inputs))
    facts.append(("accuracy", report.accuracy_data or f"{NOT_MEASURED} (no dataset was given)"))
    if not has_energy(rows):
        facts.append(("energy", f"{NOT_MEASURED}; see Energy for the reason"))
    failed = sum(row.state == "failed" for row in report.unmeasured)
    left_out = [f"{failed} failed"] * (failed > 0)
    left_out += [f"{len(report.unmeasured) - failed} cannot run here"] * (len(report.unmeasured) > failed)
    facts.append((NOT_MEASURED, ", ".join(left_out) or "nothing: every row that was asked for is here"))
    restless = sum(row.speed.warm_up.settled is False for row in rows)
    if restless:
        facts.append(("warm-up", f"in {restless} of {len(rows)} rows times had not settled when the clock began"))
    slowed = [sentence for row in rows for sentence in row.speed.throttled]
    if slowed:
        disturbed = sum(bool(row.speed.throttled) for row in rows)
        facts.append(("machine", f"changed during {disturbed} of {len(rows)} rows: {'; '.join(dict.fromkeys(slowed))}"))
    if rows:
        facts.append(("throttled", throttling_text([row.speed.did_throttle for row in rows])))
    load = report.environment.get("load_average_1m")
    if load is not None:
        facts.append(("load before", f"{load:.2f} (average over a minute; well above 0, other programs were running)"))
    return facts


def _measured(rows: Sequence[BenchRow]) -> str:
    if not rows:
        return "nothing"

    def counted(name: str, values: set[Any]) -> str:
        return f"{len(values)} {name}{'s' * (len(values) != 1)}"

    artifacts, runtimes = {row.artifact for row in rows}, {row.runtime for row in rows}
    batches, threads = (sorted({getattr(row, name) for row in rows}) for name in ("batch", "threads"))
    return (
        f"{len(rows)} rows: {counted('artifact', artifacts)} in {counted('runtime', runtimes)}; "
        f"{', '.join(scenario_order(rows))}; batch {', '.join(map(str, batches))}; "
        f"threads {', '.join(map(str, threads))}"
    )


def _manner(rows: Sequence[BenchRow]) -> str:
    runs = min(row.speed.warm_up.runs for row in rows)
    text = f"each row in its own process, after at least {runs} warm-up calls; no sample is left out"
    costs = [row.speed.harness_p50_us for row in rows if row.speed.harness_p50_us is not None]
    return text + (f"; the harness itself costs {max(costs):.1f} µs a call at most" if costs else "")
