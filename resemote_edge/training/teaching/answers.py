"""Answers: a teacher's logits for every batch of a run, which are computed, recorded or replayed.

A student learns most from a teacher that sees each image in exactly the same view (Beyer et al., 2022, "Knowledge
distillation: a good teacher is patient and consistent"). Views depend on seed, epoch and step alone, so a teacher's
logits can be recorded once and replayed for every student with the same recipe of views. Answers are always rounded to
float16, so that a student learns the same, bit for bit, from recorded answers.
"""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from resemote_edge.artifacts.files import write_file
from resemote_edge.artifacts.record import DECODE_ERRORS, json_bytes, read_text_bytes
from resemote_edge.errors import InputError, TrainingError
from resemote_edge.training.config import TrainingConfig
from resemote_edge.training.images.batches import Batch, TrainingImages
from resemote_edge.training.teaching.teacher import Teacher

__all__ = ["RECORDING_FILE", "Answers", "Recording", "asked", "read_recording", "recorded", "recording_of", "replayed"]

#: Function of the epoch, counted from 0, and this process's rows of a batch; it returns logits, (rows, classes).
Answers = Callable[[int, Batch], Tensor]

#: Name of the description in the folder of a recording.
RECORDING_FILE = "teacher.json"
_FORMAT = 1


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Description of a folder of recorded answers, and of the runs they are for.

    Attributes:
        format: Version of the layout.
        views: Settings that views of the images depend on: seed, epochs, batch size, sizes, augmentation.
        train_sha256: Hash of the training split, pixels and labels.
        labels: Order of the logits.
        teachers: Name and sha256 of every checkpoint that answered.
        mirror: Whether each answered for the mirror image as well.
        accuracy: Accuracy of the teachers together on the validation split, a fraction.
    """

    format: int
    views: dict[str, Any]
    train_sha256: str
    labels: tuple[str, ...]
    teachers: tuple[dict[str, str], ...]
    mirror: bool
    accuracy: float


def recording_of(
    config: TrainingConfig, context: dict[str, Any], teachers: tuple[dict[str, str], ...], accuracy: float
) -> Recording:
    """Describe what a run records.

    Args:
        config: The run's recipe.
        context: The run's context, for ``train_sha256`` and ``labels``.
        teachers: Facts of the checkpoints that answer.
        accuracy: Accuracy of the teachers together on the validation split.
    """
    names = ("seed", "epochs", "batch_size", "first_side", "full_side_from", "augmentation")
    recipe = config.to_dict()
    return Recording(
        format=_FORMAT,
        views={name: recipe[name] for name in names},
        train_sha256=context["train_sha256"],
        labels=tuple(context["labels"]),
        teachers=tuple({key: teacher[key] for key in ("name", "sha256")} for teacher in teachers),
        mirror=config.distillation.mirror,
        accuracy=accuracy,
    )


def read_recording(folder: Path) -> Recording:
    """Read the description in a folder of recorded answers.

    Raises:
        InputError: Nothing was recorded there, or the description is not whole.
    """
    path = folder / RECORDING_FILE
    try:
        recording = msgspec.json.decode(read_text_bytes(path), type=Recording)
    except FileNotFoundError:
        raise InputError(
            f"{folder}: no {RECORDING_FILE} there, so no recorded teacher",
            hint=f"record one with --record-teacher {folder}",
        ) from None
    except (*DECODE_ERRORS, OSError) as error:
        raise InputError(
            f"{path}: not the description of a recorded teacher ({error})", hint="record it again"
        ) from None
    if recording.format != _FORMAT:
        raise InputError(f"{path}: format {recording.format}, this version reads {_FORMAT}", hint="record it again")
    return recording


def asked(teacher: Teacher | None) -> Answers | None:
    """Answers that the teacher computes during the run; None without a teacher."""
    return None if teacher is None else lambda epoch, batch: _ask(teacher, batch)


def recorded(teacher: Teacher, images: TrainingImages, folder: Path, recording: Recording) -> Answers:
    """Answers that are computed once and kept, in a file per epoch that appears when the epoch is complete.

    Args:
        teacher: Teacher to ask.
        images: Images of the run; a run that is continued within an epoch asks again for the earlier steps.
        folder: Folder of the recording; it is made.
        recording: Description of the recording.

    Raises:
        InputError: The folder holds another recording.
    """
    if (folder / RECORDING_FILE).exists():
        _require_same(read_recording(folder), recording, folder)
    else:
        folder.mkdir(parents=True, exist_ok=True)
        write_file(folder / RECORDING_FILE, json_bytes(recording))
    return _Recorder(teacher, images, folder)


def replayed(images: TrainingImages, folder: Path, recording: Recording) -> Answers:
    """Answers that were recorded before.

    Args:
        images: Images of the run; this process takes its rows.
        folder: Folder of the recording.
        recording: Description of what this run would record, except for teachers and accuracy.

    Raises:
        InputError: The recording is of other views, data, labels or mirroring; the message names the difference.
    """
    found = read_recording(folder)
    _require_same(found, msgspec.structs.replace(recording, teachers=found.teachers, accuracy=found.accuracy), folder)
    return _Player(images, folder, len(recording.labels))


def _require_same(found: Recording, wanted: Recording, folder: Path) -> None:
    for name in ("train_sha256", "labels", "mirror", "teachers"):
        if getattr(found, name) != getattr(wanted, name):
            raise InputError(
                f"{folder}: was recorded with another {name} ({getattr(found, name)}, this run has "
                f"{getattr(wanted, name)})",
                hint="pass another folder, or record it again",
            )
    for name, value in wanted.views.items():
        if found.views.get(name) != value:
            raise InputError(
                f"{folder}: was recorded with {name} = {found.views.get(name)}, this run has {value}: its images are "
                "other ones",
                hint="give this run the same recipe of images, or record the teacher again",
            )


def _ask(teacher: Teacher, batch: Batch) -> Tensor:
    with torch.no_grad():
        return teacher(batch.images).half()


def _epoch_file(folder: Path, epoch: int) -> Path:
    return folder / f"epoch-{epoch + 1:04d}.npy"


class _Player:
    """Plays a recording; the present epoch is kept on the device of the images."""

    def __init__(self, images: TrainingImages, folder: Path, classes: int) -> None:
        self._images, self._folder, self._classes = images, folder, classes
        self._epoch, self._held = -1, torch.empty(0)

    def __call__(self, epoch: int, batch: Batch) -> Tensor:
        if epoch != self._epoch:
            answers = torch.from_numpy(self._read(epoch))[:, self._images.rows]
            self._epoch, self._held = epoch, answers.to(batch.images.device)
        return self._held[batch.step]

    def _read(self, epoch: int) -> NDArray[np.float16]:
        path = _epoch_file(self._folder, epoch)
        try:
            answers = np.load(path, allow_pickle=False)
        except FileNotFoundError:
            raise TrainingError(
                f"{path}: epoch {epoch + 1} is not recorded",
                hint="let the run that records finish, then go on with --resume",
            ) from None
        except (ValueError, OSError, EOFError) as error:
            raise TrainingError(f"{path}: not a whole recording ({error})", hint="record the teacher again") from None
        shape = (self._images.steps, self._images.batch_size, self._classes)
        if answers.dtype != np.float16 or answers.shape != shape:
            raise TrainingError(
                f"{path}: {answers.dtype} of shape {answers.shape}, expected float16 of {shape}", hint="record it again"
            )
        whole: NDArray[np.float16] = answers
        return whole


class _Recorder:
    """Asks the teacher and keeps its answers; epochs that an earlier run has recorded are played."""

    def __init__(self, teacher: Teacher, images: TrainingImages, folder: Path) -> None:
        self._teacher, self._images, self._folder = teacher, images, folder
        self._epoch = -1
        self._held: list[Tensor] = []
        self._player: _Player | None = None

    def __call__(self, epoch: int, batch: Batch) -> Tensor:
        if epoch != self._epoch:
            self._epoch, self._held = epoch, []
            whole = _epoch_file(self._folder, epoch).exists()
            self._player = _Player(self._images, self._folder, batch.targets.shape[1]) if whole else None
        if self._player is not None:
            return self._player(epoch, batch)
        self._catch_up(epoch, batch.step)
        answer = _ask(self._teacher, batch)
        self._held.append(answer)
        if len(self._held) == self._images.steps:
            self._write(np.stack([held.cpu().numpy() for held in self._held]))
        return answer

    def _catch_up(self, epoch: int, step: int) -> None:
        """Ask again for the steps before this one, if the run is continued within an epoch."""
        missed = self._images.epoch(epoch, len(self._held))
        while len(self._held) < step:
            # Images are always made in full precision.
            with torch.autocast(self._images.targets.device.type, enabled=False):
                batch = next(missed)
            self._held.append(_ask(self._teacher, batch))

    def _write(self, answers: NDArray[np.float16]) -> None:
        stream = io.BytesIO()
        np.save(stream, answers, allow_pickle=False)
        write_file(_epoch_file(self._folder, self._epoch), stream.getvalue())
