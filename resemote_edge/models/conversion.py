"""Conversion: reads a checkpoint in any form and writes it in another, with its model card."""

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from resemote_edge.artifacts.files import refuse_files, staged_files
from resemote_edge.errors import CheckpointError, InputError
from resemote_edge.models.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from resemote_edge.models.compact import compact_state
from resemote_edge.models.stored_weights import STORAGES, Storage, is_weight, pack_weights

__all__ = ["Conversion", "WeightError", "expand_checkpoint", "pack_checkpoint"]

_CARDS = (".json", ".md")
_WORDS = {
    "int8": "int8 with a float32 scale per output channel, small layers float16",
    "float16": "float16",
    "float32": "float32",
}


@dataclass(frozen=True, kw_only=True)
class WeightError:
    """Difference of stored weights from the originals, over the weights that can affect the output.

    Attributes:
        max_abs: Largest difference of a weight.
        key: Key of the tensor with that difference.
        relative_rms: Root of the sum of squared differences over that of squared weights.
    """

    max_abs: float
    key: str
    relative_rms: float


@dataclass(frozen=True, kw_only=True)
class Conversion:
    """Record of what was written.

    Attributes:
        source: Checkpoint that was read.
        output: Checkpoint that was written.
        source_size_bytes: Size of the checkpoint that was read.
        size_bytes: Size of the checkpoint that was written.
        dtype: Data type of the weights written.
        layout: Layout written, ``published`` or ``compact``.
        labels: Class names in the order of the logits.
        labels_source: Origin of the order, as in `Checkpoint`; an order that was assumed is not written.
        weight_error: Error of the weights that were written.
        cards: Files of the model card written beside it.
    """

    source: Path
    output: Path
    source_size_bytes: int
    size_bytes: int
    dtype: str
    layout: str
    labels: tuple[str, ...]
    labels_source: str
    weight_error: WeightError
    cards: tuple[Path, ...]

    def to_dict(self) -> dict[str, Any]:
        """The record as plain JSON types."""
        paths = {"source": str(self.source), "output": str(self.output), "cards": [str(path) for path in self.cards]}
        return asdict(self) | paths | {"labels": list(self.labels)}

    def lines(self) -> list[str]:
        """The record as lines for people."""
        error = self.weight_error
        said = [
            f"wrote {self.output}: {self.dtype}, {self.layout}, {self.size_bytes / 1e6:.1f} MB "
            f"({self.source.name}: {self.source_size_bytes / 1e6:.1f} MB)",
            f"largest weight error {error.max_abs:.2g} ({error.key}), root mean square {error.relative_rms:.2%}",
        ]
        said += [f"wrote {path}" for path in self.cards]
        if self.labels_source == "assumed":
            said.append("label order: not stated by the source, so not written; pass --labels to state it")
        return said


def pack_checkpoint(
    source: Path, output: Path, storage: Storage, *, labels: tuple[str, ...] | None = None, force: bool = False
) -> Conversion:
    """Write a checkpoint as safetensors in the compact layout, in fewer bits.

    Args:
        source: Checkpoint that `load_checkpoint` can read; files of the same stem with ``.json`` and ``.md`` are its
            model card.
        output: File (``.safetensors``) to make; the card is written beside it, with its storage updated.
        storage: Form in which the weights are stored.
        labels: Label order, where the source does not state it.
        force: Whether to replace files at the destination.

    Returns:
        Record of what was written, read back and compared with the source.

    Raises:
        CheckpointError: The source is malformed, or holds weights that the storage cannot hold.
        InputError: The output exists already, is the source, or is no ``.safetensors`` file.
    """
    if storage not in STORAGES:
        raise InputError(f"unknown storage {storage!r}", hint=f"choose one of {', '.join(STORAGES)}")
    if output.suffix != ".safetensors":
        raise InputError(f"{output}: packed weights are a .safetensors file", hint=f"pass -o {output.stem}.safetensors")
    _refuse_source(source, output)
    cards = {suffix: source.with_suffix(suffix) for suffix in _CARDS if source.with_suffix(suffix).is_file()}
    refuse_files(output.parent, [output.name, *(output.with_suffix(suffix).name for suffix in cards)], force=force)
    checkpoint = load_checkpoint(source, labels)
    state = compact_state(checkpoint.state)
    with staged_files(output.parent, force=force) as folder:
        staged = folder / output.name
        packed = pack_weights(state, storage)
        _refuse_overflow(packed, source, storage)
        stated = None if checkpoint.labels_source == "assumed" else checkpoint.labels
        save_checkpoint(packed, staged, stated)
        change = _weight_error(state, compact_state(load_checkpoint(staged).state))
        for suffix, card in cards.items():
            write = _json_card if suffix == ".json" else _markdown_card
            staged.with_suffix(suffix).write_text(write(card, checkpoint, storage), encoding="utf-8")
    return _conversion(
        checkpoint, output, dtype=storage, layout="compact", change=change, cards=tuple(map(output.with_suffix, cards))
    )


def expand_checkpoint(
    source: Path, output: Path, *, labels: tuple[str, ...] | None = None, force: bool = False
) -> Conversion:
    """Write a checkpoint as the authors' code reads it: ``{'model_state_dict': ...}``, every key, float32, 3x3 kernels.

    Args:
        source: Checkpoint that `load_checkpoint` can read.
        output: File to make. ``labels`` is written beside the state dict in it, unless the order was assumed.
        labels: Label order, where the source does not state it.
        force: Whether to replace the file.

    Returns:
        Record of what was written, read back and compared with the source. Taps that cannot affect the output are zero
        if the source lacks them.

    Raises:
        CheckpointError: The source is malformed.
        InputError: The output exists already, is the source, or is a ``.safetensors`` file.
    """
    if output.suffix == ".safetensors":
        raise InputError(f"{output}: the authors' layout is a PyTorch file", hint=f"pass -o {output.stem}.pt")
    _refuse_source(source, output)
    refuse_files(output.parent, [output.name], force=force)
    checkpoint = load_checkpoint(source, labels)
    content: dict[str, Any] = {"model_state_dict": dict(checkpoint.build().state_dict())}
    if checkpoint.labels_source != "assumed":
        content["labels"] = list(checkpoint.labels)
    with staged_files(output.parent, force=force) as folder:
        staged = folder / output.name
        try:
            torch.save(content, staged)
        except RuntimeError as error:  # PyTorch reports a full disk like this
            raise CheckpointError(f"{output}: cannot be written ({str(error).splitlines()[0]})") from None
        change = _weight_error(checkpoint.state, load_checkpoint(staged, labels).state)
    return _conversion(checkpoint, output, dtype="float32", layout="published", change=change)


def _refuse_source(source: Path, output: Path) -> None:
    if output.exists() and source.exists() and output.samefile(source):
        raise InputError(f"{output} is the checkpoint itself, which is never replaced", hint="pass another -o")


def _refuse_overflow(packed: dict[str, Tensor], source: Path, storage: Storage) -> None:
    for key, value in packed.items():
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise CheckpointError(
                f"{source}: {key} holds weights beyond the range of {storage}", hint="pass another --dtype"
            )


def _weight_error(wanted: dict[str, Tensor], found: dict[str, Tensor]) -> WeightError:
    largest, where, squares, total = -1.0, "", 0.0, 0.0
    for key, value in wanted.items():
        if not is_weight(key, value):
            continue  # stored unchanged
        difference = found[key] - value
        squares += float(difference.square().sum(dtype=torch.float64))
        total += float(value.square().sum(dtype=torch.float64))
        if float(difference.abs().max()) > largest:
            largest, where = float(difference.abs().max()), key
    return WeightError(max_abs=largest, key=where, relative_rms=(squares / total) ** 0.5 if total else 0.0)


def _json_card(path: Path, checkpoint: Checkpoint, storage: Storage) -> str:
    card = json.loads(path.read_bytes())
    card["storage"] = {"dtype": storage, "layout": "compact"}
    if "labels" in card:
        card["labels"] = list(checkpoint.labels)
    return json.dumps(card, indent=2, ensure_ascii=False) + "\n"


def _markdown_card(path: Path, checkpoint: Checkpoint, storage: Storage) -> str:
    """The card, with its row about storage updated if it has one."""
    row = f"| Storage | safetensors, {_WORDS[storage]}, `res_block3` in the compact layout |"
    return re.sub(r"(?m)^\| Storage \|.*$", lambda match: row, path.read_text(encoding="utf-8"))


def _conversion(
    checkpoint: Checkpoint, output: Path, *, dtype: str, layout: str, change: WeightError, cards: tuple[Path, ...] = ()
) -> Conversion:
    return Conversion(
        source=checkpoint.path,
        output=output,
        source_size_bytes=checkpoint.path.stat().st_size,
        size_bytes=output.stat().st_size,
        dtype=dtype,
        layout=layout,
        labels=checkpoint.labels,
        labels_source=checkpoint.labels_source,
        weight_error=change,
        cards=cards,
    )
