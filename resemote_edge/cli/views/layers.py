"""An explanation as a table."""

from rich.table import Table

from resemote_edge.benchmarks.explain.explanation import Explanation
from resemote_edge.benchmarks.explain.report import TEXT_COLUMNS, capitalized, layer_cells, sentences

__all__ = ["layer_table"]

#: Columns that a terminal of 80 has room for, with headers to match; the files have every column.
_SCREEN_COLUMNS: dict[str, str] = {
    "layer": "layer",
    "time us": "time\nus",
    "share": "%",
    "floor us": "floor\nus",
    "times floor": "times\nfloor",
    "weights MB": "MB",
    "M multiply-adds": "M mul-\nadds",
    "precision": "ran in",
    "kernel": "kernel",
}


def layer_table(explanation: Explanation) -> Table:
    """The explanation for the screen."""
    table = Table(
        title=f"{explanation.artifact}, {explanation.ran_in}",
        caption="\n".join(capitalized(sentence) for sentence in sentences(explanation)),
        title_justify="left",
        caption_justify="left",
        box=None,
        padding=(0, 1, 0, 0),
        header_style="bold",
        pad_edge=False,
    )
    cells = layer_cells(explanation)
    cells["share"] = [share.removesuffix(" %") for share in cells["share"]]
    if "precision" in cells:  # A sentence below tells what was promised.
        marked = ((layer.precision or "") + " !" * layer.deviates for layer in explanation.layers)
        cells["precision"] = list(marked)
    shown = [header for header in _SCREEN_COLUMNS if header in cells]
    for header in shown:
        left = header in TEXT_COLUMNS
        table.add_column(_SCREEN_COLUMNS[header], justify="left" if left else "right", overflow="fold")
    for row in zip(*(cells[header] for header in shown), strict=True):
        table.add_row(*row)
    return table
