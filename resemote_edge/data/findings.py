"""Findings: what a user should know about data that was just read, in sentences."""

from collections.abc import Callable, Iterable

from resemote_edge.data.dataset import Dataset

__all__ = ["Tell", "findings"]

#: Function that shows a sentence to the user.
Tell = Callable[[str], None]


def findings(splits: Iterable[Dataset]) -> tuple[str, ...]:
    """Sentences on splits of one dataset, as ``data inspect`` lists them, each once.

    Args:
        splits: Splits that were read.

    Returns:
        The loader's notes, what was left out, and copies within a split, which all count.
    """
    read = tuple(splits)
    notes = [note for data in read for note in data.notes]
    left_out = [
        f"{count:,} left out of split '{data.split}': {reason}"
        for data in read
        for reason, count in data.left_out.items()
    ]
    repeats = [
        f"{count:,} of {len(data):,} images in split '{data.split}' repeat an earlier one pixel for pixel; all count"
        for data in read
        if (count := data.repeats())
    ]
    return tuple(dict.fromkeys((*notes, *left_out, *repeats)))
