"""Weights: a table of the model cards in a folder of checkpoints."""

import json
from pathlib import Path
from typing import Any

from resemote_edge.benchmarks.report.table import table_text
from resemote_edge.errors import InputError

__all__ = ["weights_table"]

_HEADERS = ("weights", "width", "file MB", "test split (95 %)", "without copies", "with the mirror image", "validation")


def weights_table(folder: Path) -> str:
    """Make a line per checkpoint in safetensors, the widest first, from the model card beside it.

    Args:
        folder: Folder that holds ``<name>.safetensors`` and ``<name>.json``, as `checkpoint pack` leaves them.

    Raises:
        InputError: The folder holds no checkpoint, or a card is missing or has no accuracies.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise InputError(
            f"{folder}: holds no .safetensors file", hint="name a folder of weights with their model cards"
        )
    cards = sorted(((_card(file), file) for file in files), key=lambda pair: -int(pair[0]["width"]))
    return table_text(_HEADERS, [_line(card, file) for card, file in cards], words=_HEADERS[:1])


def _card(weights: Path) -> dict[str, Any]:
    path = weights.with_suffix(".json")
    try:
        card: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        _line(card, weights)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: not a model card with accuracies ({type(error).__name__}: {error})") from None
    return card


def _line(card: dict[str, Any], weights: Path) -> tuple[str, ...]:
    test, mirrored, validation = (card["evaluation"][name] for name in ("test", "test_flip", "validation"))
    low, high = (f"{end * 100:.2f}" for end in test["accuracy_interval_95"])
    without = test["accuracy_without_train_duplicates"]
    return (
        str(card["name"]),
        str(int(card["width"])),
        f"{weights.stat().st_size / 1e6:.1f}",
        f"{test['accuracy'] * 100:.2f} % ({low} to {high})",
        "-" if without is None else f"{without * 100:.2f} %",
        f"{mirrored['accuracy'] * 100:.2f} %",
        f"{validation['accuracy'] * 100:.2f} %",
    )
