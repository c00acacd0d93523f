"""Kinds of values that options take."""

import click
import pytest

from resemote_edge.cli.parameters import DURATION, SIZE


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("5", 5.0), ("0.3s", 0.3), ("250ms", 0.25), (".5s", 0.5), ("2m", 120.0), ("24h", 86400.0), ("7d", 604800.0)],
)
def test_a_duration_has_a_unit_or_counts_seconds(text, seconds):
    assert DURATION.convert(text, None, None) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "soon", "5 weeks", "-1s", "1e3s", "5s5", "s"])
def test_what_is_no_duration_is_refused(text):
    with pytest.raises(click.BadParameter, match="is no duration, such as"):
        DURATION.convert(text, None, None)


def test_a_size_is_width_and_height():
    assert SIZE.convert("1280x720", None, None) == SIZE.convert("1280X720", None, None) == (1280, 720)


@pytest.mark.parametrize("text", ["640", "640x", "x384", "640x384x3", "-1x2", "", "640*384", "123456x1"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(click.BadParameter, match="is no size, such as"):
        SIZE.convert(text, None, None)
