"""Checkpoints: reads weights in every common form, and says exactly what is wrong with bad ones."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import msgspec
import torch
from torch import Tensor

from resemote_edge.artifacts.artifact import file_sha256
from resemote_edge.artifacts.files import staged_file
from resemote_edge.artifacts.record import DECODE_ERRORS, read_text_bytes
from resemote_edge.errors import CheckpointError, InputError
from resemote_edge.labels import RESEMOTENET, canonical_labels
from resemote_edge.models.compact import COMPACT_TAPS, expand
from resemote_edge.models.resemotenet import ResEmoteNet
from resemote_edge.models.stored_weights import is_weight, unpack_weights
from resemote_edge.models.weights_file import is_counter, read_weights

__all__ = ["Checkpoint", "ModelCard", "load_checkpoint", "save_checkpoint"]


class ModelCard(msgspec.Struct, frozen=True, kw_only=True):
    """Fields of a model card that are copied into passports; other fields of the JSON are for people.

    Attributes:
        labels: Class names in the order of the logits.
        training_data: Description of the data in one sentence.
        training: Description of how the network was trained.
        accuracy: Accuracies by name, as fractions in [0, 1].
    """

    labels: tuple[str, ...] | None = None
    training_data: str | None = None
    training: dict[str, Any] | None = None
    accuracy: dict[str, Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]] = {}


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Weights of a ResEmoteNet, in the published layout, and facts about them.

    Attributes:
        path: File they were read from.
        sha256: Hex sha256 of that file.
        state: float32 parameters and buffers by their published names.
        width: Channels of the first convolution.
        labels: Class names in the order of the logits, one for each; as `canonical_labels` spells them.
        labels_source: Origin of the order: ``file`` if the file states it, ``caller`` if it was passed, ``assumed`` if
            seven logits were taken to be in the published order.
        stored_dtype: Dtype of most weights in the file; ``int8`` weights have scales beside them.
        stored_layout: Layout of the file, ``published`` or ``compact``.
        card: Model card; all its fields are empty if there is none.
        notes: Sentences on what was chosen among the file's contents.
    """

    path: Path
    sha256: str
    state: dict[str, Tensor] = field(repr=False)
    width: int
    labels: tuple[str, ...]
    labels_source: str
    stored_dtype: str
    stored_layout: str
    card: ModelCard = field(default_factory=ModelCard, repr=False)
    notes: tuple[str, ...] = ()

    @property
    def num_classes(self) -> int:
        """Number of logits."""
        return len(self.labels)

    @property
    def parameters(self) -> int:
        """Number of learnable parameters in the published layout."""
        buffers = ("running_mean", "running_var")
        return sum(value.numel() for key, value in self.state.items() if not key.endswith(buffers))

    def build(self) -> ResEmoteNet:
        """Build the network with these weights, on the CPU, in eval mode. It shares memory with `state`."""
        with torch.device("meta"):
            model = ResEmoteNet(self.width, self.num_classes)
        counters = {key: torch.zeros((), dtype=torch.int64) for key in model.state_dict() if is_counter(key)}
        model.load_state_dict({**self.state, **counters}, assign=True)
        return model.eval()


def load_checkpoint(path: str | Path, labels: tuple[str, ...] | None = None) -> Checkpoint:
    """Read a checkpoint.

    Accepted: a state dict, bare or in one of the wrappers that training frameworks write, under any prefix
    (`weights_file`); safetensors; any floating dtype, int8 with scales (`stored_weights`); ``res_block3`` in the
    published or the compact layout. Width and number of classes are read from the weights; a label order stated beside
    them (``labels``, ``classes``, ``class_to_idx``) is used.

    Args:
        path: File to read. A JSON file of the same stem beside it is read as its model card.
        labels: Label order, if the file does not state it and it is not the published one: a name per logit.

    Returns:
        The weights as float32 in the published layout.

    Raises:
        CheckpointError: The file is unreadable or truncated, holds code, or is of another architecture; a key is
            missing, unknown, or has a wrong shape, scale or value; or the labels are unknown for other than seven
            logits.
        InputError: `labels` does not name each class once.
    """
    source = Path(path)
    if not source.is_file():
        found = "a folder" if source.is_dir() else "something else" if source.exists() else "nothing there"
        raise CheckpointError(f"{source}: no such checkpoint file, found {found}")
    found_in = read_weights(source, with_labels=labels is None)
    stored, metadata = found_in.state, found_in.metadata
    state = unpack_weights(stored, source)
    _refuse_integers(state, source)
    width, classes = _width(state, source), _classes(state, source)
    _check_keys_and_shapes(state, width, classes, source)
    for key, value in state.items():
        if not torch.isfinite(value).all():
            raise CheckpointError(f"{source}: {key} holds NaN or Inf", hint="take the weights of an earlier epoch")
    card = _read_card(source)
    order, order_source = _label_order(labels, metadata, card, classes, source)
    compact = any(tuple(state[key].shape[2:]) == size for key, (size, _) in COMPACT_TAPS.items())
    return Checkpoint(
        path=source,
        sha256=file_sha256(source),
        state={key: value.to(torch.float32) for key, value in expand(state).items()},
        width=width,
        labels=order,
        labels_source=order_source,
        stored_dtype=_stored_dtype(stored),
        stored_layout="compact" if compact else "published",
        card=card,
        notes=found_in.notes,
    )


def save_checkpoint(state: dict[str, Tensor], path: Path, labels: tuple[str, ...] | None) -> None:
    """Write weights as safetensors with their label order; the file appears whole or not at all.

    Args:
        state: Parameters and buffers by their published names, either layout, any floating dtype, or the result of
            `pack_weights`.
        path: Destination; an existing file is replaced.
        labels: Class names in the order of the logits; None to write none.

    Raises:
        CheckpointError: The file cannot be written.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    kept = {key: value.detach().cpu().contiguous() for key, value in state.items() if not is_counter(key)}
    stated = {} if labels is None else {"labels": json.dumps(list(labels))}
    try:
        with staged_file(path) as partial:
            save_file(kept, partial, metadata={**stated, "architecture": "ResEmoteNet"})
    except SafetensorError as error:
        raise CheckpointError(f"{path}: cannot be written ({error})") from None


def _refuse_integers(state: dict[str, Tensor], path: Path) -> None:
    integer = [key for key, value in state.items() if not value.is_floating_point()]
    if integer:
        raise CheckpointError(f"{path}: {integer[0]} is {state[integer[0]].dtype}, expected a floating dtype")


def _width(state: dict[str, Tensor], path: Path) -> int:
    first = state.get("conv1.weight")
    if first is None or first.ndim != 4 or tuple(first.shape[1:]) != (3, 3, 3):
        found = "no such key" if first is None else f"shape {tuple(first.shape)}"
        raise CheckpointError(
            f"{path}: not a ResEmoteNet: conv1.weight must have shape (width, 3, 3, 3), found {found} "
            f"(first keys: {', '.join(list(state)[:4])})"
        )
    width = int(first.shape[0])
    if width % 4:
        raise CheckpointError(f"{path}: conv1.weight has {width} filters, and a ResEmoteNet's width is a multiple of 4")
    return width


def _classes(state: dict[str, Tensor], path: Path) -> int:
    last = state.get("fc4.weight")
    if last is None or last.ndim != 2:
        return len(RESEMOTENET)  # The key is reported later, with others that are missing or wrong.
    if len(last) < 2:
        raise CheckpointError(
            f"{path}: fc4.weight has shape {tuple(last.shape)}, and a classifier has two logits or more"
        )
    return len(last)


def _check_keys_and_shapes(state: dict[str, Tensor], width: int, classes: int, path: Path) -> None:
    with torch.device("meta"):
        reference = ResEmoteNet(width, classes).state_dict()
    expected = {key: tuple(value.shape) for key, value in reference.items() if not is_counter(key)}
    missing = sorted(expected.keys() - state.keys())
    extra = sorted(state.keys() - expected.keys())
    if missing or extra:
        parts = []
        if missing:
            shapes = ", ".join(f"{key} {expected[key]}" for key in missing[:3])
            parts.append(f"missing {len(missing)} keys ({shapes}{', …' if len(missing) > 3 else ''})")
        if extra:
            shapes = ", ".join(f"{key} {tuple(state[key].shape)}" for key in extra[:3])
            parts.append(f"{len(extra)} keys too many ({shapes}{', …' if len(extra) > 3 else ''})")
        raise CheckpointError(f"{path}: not a ResEmoteNet of width {width}: {'; '.join(parts)}")
    for key, shape in expected.items():
        found = tuple(state[key].shape)
        if found != shape and not (key in COMPACT_TAPS and found == (*shape[:2], *COMPACT_TAPS[key][0])):
            raise CheckpointError(
                f"{path}: {key} has shape {found}, a ResEmoteNet of width {width} with {classes} logits has {shape}"
            )


def _read_card(path: Path) -> ModelCard:
    card_path = path.with_suffix(".json")
    if not card_path.is_file():
        return ModelCard()
    try:
        return msgspec.json.decode(read_text_bytes(card_path), type=ModelCard)
    except DECODE_ERRORS as error:
        raise CheckpointError(
            f"{card_path}: it has the name of a model card for {path.name}, but is not a valid model card: {error}",
            hint="move it elsewhere, or correct it",
        ) from None


def _stored_dtype(stored: dict[str, Tensor]) -> str:
    largest = max((value for key, value in stored.items() if is_weight(key, value)), key=Tensor.numel)
    return str(largest.dtype).removeprefix("torch.")


def _label_order(
    labels: tuple[str, ...] | None, metadata: dict[str, str], card: ModelCard, classes: int, path: Path
) -> tuple[tuple[str, ...], str]:
    if labels is not None:
        return _named(labels, classes, f"{path}: --labels"), "caller"
    stated = _metadata_labels(metadata["labels"], path) if "labels" in metadata else card.labels
    if stated is not None:
        try:
            return _named(stated, classes, f"{path}: the label order it states"), "file"
        except InputError as error:
            raise CheckpointError(str(error), hint="pass --labels") from None
    if classes != len(RESEMOTENET):
        raise CheckpointError(
            f"{path}: {classes} logits, and no label order is stated beside the weights",
            hint=f"pass --labels with {classes} names, comma-separated, in the order of the logits",
        )
    return RESEMOTENET, "assumed"


def _named(labels: tuple[str, ...], classes: int, what: str) -> tuple[str, ...]:
    try:
        order = canonical_labels(labels)
    except InputError as error:
        raise InputError(f"{what}: {error}") from None
    if len(order) != classes:
        raise InputError(f"{what} has {len(order)} names ({', '.join(order)}), fc4.weight has {classes} logits")
    return order


def _metadata_labels(text: str, path: Path) -> tuple[str, ...]:
    try:
        return msgspec.json.decode(text, type=tuple[str, ...])
    except DECODE_ERRORS as error:
        raise CheckpointError(f"{path}: its 'labels' metadata is not a JSON list of names ({error})") from None
