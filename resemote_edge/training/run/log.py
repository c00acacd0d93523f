"""RunLog: the files that a run writes as it proceeds: JSON lines and TensorBoard events; and learning curves."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from resemote_edge.artifacts.files import write_file, write_picture
from resemote_edge.errors import needs
from resemote_edge.training.run.state import EpochRecord

__all__ = ["CURVES_FILE", "EVENTS_FOLDER", "LOG_FILE", "RunLog", "draw_curves"]

LOG_FILE = "log.jsonl"
CURVES_FILE = "curves.png"
EVENTS_FOLDER = "tensorboard"
_SCALARS = ("loss", "train_accuracy", "validation_loss", "validation_accuracy", "learning_rate", "images_per_second")


class RunLog:
    """Log of one run; a context manager.

    Args:
        folder: Folder of the run.
        history: Records of the epochs done, if the run is continued; events after those are superseded.

    Raises:
        MissingDependencyError: tensorboardX is not installed.
    """

    def __init__(self, folder: Path, history: Sequence[EpochRecord] = ()) -> None:
        with needs("train", "logging a training run"):
            from tensorboardX.event_file_writer import EventsWriter
            from tensorboardX.proto.event_pb2 import Event, SessionLog
            from tensorboardX.summary import scalar
        self._folder = folder
        self._event, self._scalar = Event, scalar
        # SummaryWriter writes in a thread, which needs /dev/shm and stops for good if the clock is set back.
        events = folder / EVENTS_FOLDER
        events.mkdir(parents=True, exist_ok=True)
        self._writer: Any = EventsWriter(str(events / "events"))
        if history:
            start = SessionLog(status=SessionLog.START)
            self._writer.write_event(Event(wall_time=time.time(), step=len(history) + 1, session_log=start))
            self._write_lines(history)  # A kill may have come between the state and the log.

    def write(self, history: Sequence[EpochRecord]) -> None:
        """Write the epoch just finished, the last of the history.

        All JSON lines are rewritten, so that they agree with the saved state after any interruption.
        """
        self._write_lines(history)
        last = history[-1]
        for name in _SCALARS:
            summary = self._scalar(name, getattr(last, name))
            self._writer.write_event(self._event(wall_time=time.time(), step=last.epoch, summary=summary))
        self._writer.flush()

    def _write_lines(self, history: Sequence[EpochRecord]) -> None:
        write_file(self._folder / LOG_FILE, b"".join(msgspec.json.encode(record) + b"\n" for record in history))

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, *_: object) -> None:
        self._writer.close()


def draw_curves(history: Sequence[EpochRecord], path: Path) -> None:
    """Draw loss and accuracy over the epochs.

    Args:
        history: Record of at least one epoch.
        path: File (PNG) to write.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    with needs("report", "drawing learning curves"):
        from matplotlib.figure import Figure
    figure = Figure(figsize=(10, 4), layout="constrained")
    losses, accuracies = figure.subplots(1, 2)
    epochs = [record.epoch for record in history]
    losses.plot(epochs, [record.loss for record in history], label="training (augmented)")
    losses.plot(epochs, [record.validation_loss for record in history], label="validation (averaged weights)")
    losses.set(xlabel="epoch", ylabel="loss")
    accuracies.plot(epochs, [record.train_accuracy * 100 for record in history], label="training (augmented)")
    validation = [record.validation_accuracy * 100 for record in history]
    accuracies.plot(epochs, validation, label="validation (averaged weights)")
    best = max(range(len(history)), key=lambda index: (validation[index], index))
    accuracies.plot(epochs[best], validation[best], "o", label=f"best: {validation[best]:.2f} %, epoch {epochs[best]}")
    accuracies.set(xlabel="epoch", ylabel="accuracy, %")
    for axes in (losses, accuracies):
        axes.grid(alpha=0.3)
        axes.legend()
    write_picture(figure, path)
