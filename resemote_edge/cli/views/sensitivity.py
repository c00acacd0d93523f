"""A ranking of layers as a table."""

from rich.table import Table

from resemote_edge.export.quantize.report import SensitivityReport

__all__ = ["sensitivity_table"]


def sensitivity_table(report: SensitivityReport) -> Table:
    """The ranking for the screen."""
    table = Table(
        title=f"{report.checkpoint}, {report.recipe}: each layer alone in eight bits, {report.data}",
        caption="signal to noise of the logits: less is worse",
        title_justify="left",
        caption_justify="left",
        box=None,
        header_style="bold",
        pad_edge=False,
    )
    table.add_column("layer")
    for header in ("signal to\nnoise, dB", "flips\n%", "largest logit\nchange", "weights"):
        table.add_column(header, justify="right")
    for entry in report.layers:
        table.add_row(
            entry.layer,
            f"{entry.signal_to_noise_db:.1f}",
            f"{entry.flip_rate * 100:.2f}",
            f"{entry.max_abs_logit_diff:.3f}",
            f"{entry.weights:,}",
        )
    return table
