"""RunState: the progress of a training run, from which it can be continued bit for bit."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from resemote_edge.artifacts.files import staged_file
from resemote_edge.errors import TrainingError

__all__ = ["STATE_FILE", "EpochRecord", "RunState", "StateSaver", "load_state", "save_state"]

#: Name of the file in the run's folder.
STATE_FILE = "state.pt"
_FORMAT = 1


class EpochRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Result of one epoch; a line of the log.

    Attributes:
        epoch: Number of the epoch, from 1.
        learning_rate: Learning rate at its end.
        dropout: Dropout after the pooled convolutions and in the head, at its end.
        loss: Mean training loss.
        train_accuracy: Accuracy on augmented training images, while the weights moved; a fraction.
        validation_loss: Cross-entropy of the averaged weights.
        validation_accuracy: Accuracy of the averaged weights; a fraction.
        images_per_second: Images a second in training, over all processes.
        seconds: Time of training and validation together.
        memory_mb: Peak resident memory of rank 0 so far.
    """

    epoch: int
    learning_rate: float
    dropout: tuple[float, float]
    loss: float
    train_accuracy: float
    validation_loss: float
    validation_accuracy: float
    images_per_second: float
    seconds: float
    memory_mb: float


@dataclass
class RunState:
    """Everything that a run needs to continue.

    Attributes:
        recipe: Configuration, as plain types.
        context: Facts it was started with, such as variant, labels, hash of the data and teachers.
        weights: Weights of the training network.
        averaged: Moving average of the weights.
        optimizer: State dict of the optimizer.
        best: Averaged weights of the best epoch so far; empty before the first.
        best_epoch: Number of the best epoch, from 1; 0 before the first.
        epoch: Number of epochs done.
        step: Number of steps done in the present epoch.
        sums: Sums of the present epoch: loss times images, images right, images, seconds.
        history: Records of the epochs done.
    """

    recipe: dict[str, Any]
    context: dict[str, Any]
    weights: dict[str, Tensor] = field(repr=False)
    averaged: dict[str, Tensor] = field(repr=False)
    optimizer: dict[str, Any] = field(repr=False)
    best: dict[str, Tensor] = field(default_factory=dict, repr=False)
    best_epoch: int = 0
    epoch: int = 0
    step: int = 0
    sums: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    history: tuple[EpochRecord, ...] = ()


def save_state(state: RunState, folder: Path) -> None:
    """Write the state, which replaces that of the last save completely or not at all.

    Args:
        state: State of the run.
        folder: Folder of the run.

    Raises:
        TrainingError: The state cannot be written; the message says what is left.
    """
    path = folder / STATE_FILE
    plain = {**vars(state), "format": _FORMAT, "history": msgspec.to_builtins(state.history), "sums": list(state.sums)}
    try:
        with staged_file(path) as partial:
            torch.save(plain, partial)
    # torch reports a full disk as a RuntimeError of its archive writer.
    except (OSError, RuntimeError) as error:
        kept = f"the state saved before it is whole: {path}" if path.exists() else "no earlier state was saved"
        raise TrainingError(
            f"{path}: cannot be written ({_reason(error)}), and {kept}",
            hint=f"free space, then go on with --resume {folder}",
        ) from None


class StateSaver:
    """Saves the state of a run as often as a tenth of its time allows.

    An epoch takes minutes on a CPU, but less than a second on a card, where writing most of a gigabyte after each one
    would take longer than the training. A kill loses at most ten times as long as a save takes.

    Args:
        folder: Folder of the run.
    """

    _SHARE = 0.1

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._took, self._ended = 0.0, time.monotonic()

    def due(self) -> bool:
        """Whether it is time to save; always true after the first epoch."""
        return self._took <= self._SHARE * (time.monotonic() - self._ended)

    def save(self, state: RunState) -> None:
        """Save the state; raises what `save_state` raises."""
        began = time.monotonic()
        save_state(state, self._folder)
        self._ended = time.monotonic()
        self._took = self._ended - began


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__


def load_state(folder: Path) -> RunState:
    """Read the state of a run.

    Args:
        folder: Folder of the run.

    Raises:
        TrainingError: There is no state there, it is not whole, or it has another format.
    """
    path = folder / STATE_FILE
    if not path.is_file():
        raise TrainingError(
            f"{folder}: no {STATE_FILE} there, so no run to go on with", hint="pass the --out of an earlier run"
        )
    try:
        plain = torch.load(path, map_location="cpu", weights_only=True)
        found = plain.pop("format")
        if found == _FORMAT:
            history = msgspec.convert(plain.pop("history"), tuple[EpochRecord, ...])
            return RunState(**{**plain, "history": history, "sums": tuple(plain["sums"])})
    # torch and pickle raise many kinds of errors for a damaged archive.
    except Exception as error:
        raise TrainingError(f"{path}: not a whole run state ({_reason(error)})") from None
    raise TrainingError(
        f"{path}: written in format {found}, this version reads {_FORMAT}", hint="finish it with that version"
    )
