"""Findings: sentences on what users should know about the data that was read."""

from collections.abc import Callable, Iterable

from resemote_edge.data.dataset import Dataset

__all__ = ["Tell", "findings"]

#: Function that shows a sentence to the user.
Tell = Callable[[str], None]


def findings(splits: Iterable[Dataset]) -> tuple[str, ...]:
    """Sentences on splits of one dataset, each once: loaders' notes, what was left out, and copies within a split."""
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
