"""The teacher of a run: trained checkpoints whose answers the network learns from, in addition to labels."""

import pickle
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from resemote_edge.artifacts.artifact import file_sha256
from resemote_edge.errors import CheckpointError, InputError, TrainingError
from resemote_edge.labels import index_mapping
from resemote_edge.models.checkpoint import load_checkpoint
from resemote_edge.models.compact import compact_state
from resemote_edge.models.resemotenet import ResEmoteNet
from resemote_edge.training.images.augment import resized
from resemote_edge.training.networks.architectures import TEACHING, build_network
from resemote_edge.training.networks.captured import Captured
from resemote_edge.training.networks.network import Trainable, TrainingNetwork
from resemote_edge.training.run.hardware import network_form
from resemote_edge.vision.preprocessing import PreprocessSpec

__all__ = ["Teacher", "as_teacher", "checkpoint_facts", "load_teacher", "load_teaching_network"]

#: Function from normalised images, float32 (N, 3, side, side), to logits (N, classes) in the pupil's order.
Teacher = Callable[[Tensor], Tensor]


def checkpoint_facts(path: Path, what: str) -> dict[str, str]:
    """Name, path and sha256 of a checkpoint that a run learns or starts from, for its state and model card.

    Args:
        path: Path of the checkpoint.
        what: Name of its role, for messages.

    Raises:
        InputError: There is no such file.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such {what} checkpoint")
    return {"name": path.stem, "path": str(path.resolve()), "sha256": file_sha256(path)}


def load_teacher(
    facts: Sequence[dict[str, str]], labels: tuple[str, ...], device: torch.device, *, mirror: bool = False
) -> Teacher | None:
    """Read the checkpoints that `checkpoint_facts` described, as one teacher.

    Several checkpoints answer with the mean of their logits, which is the normalised geometric mean of their
    probabilities (Hinton, Vinyals, Dean, 2015, section 2).

    Args:
        facts: Facts from there, one entry per checkpoint; without any there is no teacher.
        labels: Order of the pupil's logits.
        device: Device that the pupil trains on.
        mirror: Whether each checkpoint sees the mirror image as well, and answers with the mean.

    Raises:
        TrainingError: A file has changed.
        InputError: The teacher knows other classes.
    """
    members = [_load(one, labels, device) for one in facts]
    if mirror:
        members = [_mirrored(member) for member in members]
    if len(members) < 2:
        return members[0] if members else None
    return lambda images: torch.stack([member(images).float() for member in members]).mean(dim=0)


def _mirrored(teacher: Teacher) -> Teacher:
    return lambda images: (teacher(images).float() + teacher(images.flip(3)).float()) / 2


def _load(facts: dict[str, str], labels: tuple[str, ...], device: torch.device) -> Teacher:
    path = Path(facts["path"])
    if checkpoint_facts(path, "teacher")["sha256"] != facts["sha256"]:
        raise TrainingError(f"{path}: the teacher has changed since the run was started", hint="put the old one back")
    trained = load_teaching_network(path)
    if trained is not None:
        network, known = trained
        return _answering(network, device, _columns(path, known, labels, device))
    checkpoint = load_checkpoint(path)
    return as_teacher(checkpoint.build(), device, _columns(path, checkpoint.labels, labels, device))


def _columns(path: Path, known: tuple[str, ...], labels: tuple[str, ...], device: torch.device) -> Tensor:
    """Index of a teacher's logit for each of the pupil's classes, int64 (classes,)."""
    if sorted(known) != sorted(labels):
        raise InputError(f"{path}: the teacher knows {', '.join(known)}, the data has {', '.join(labels)}")
    return torch.tensor(index_mapping(labels, known), device=device)


def load_teaching_network(path: Path) -> tuple[Trainable, tuple[str, ...]] | None:
    """Read a network that was trained to teach.

    Args:
        path: Path of a checkpoint.

    Returns:
        The network on the CPU and its labels in the order of its logits; None if the file holds something else, which
        `load_checkpoint` reads or refuses.

    Raises:
        CheckpointError: The file says that it is a teaching network, but its weights are not those of one.
    """
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, OSError):
        return None
    if not isinstance(loaded, dict) or loaded.get("architecture") not in TEACHING:
        return None
    try:
        labels = tuple(loaded["labels"])
        network = build_network(loaded["architecture"], loaded["width"], len(labels), "plain")
        network.net.load_state_dict(loaded["model_state_dict"])
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise CheckpointError(
            f"{path}: not a whole {loaded['architecture']} ({reason})", hint="train the teacher again"
        ) from None
    return network, labels


def as_teacher(network: ResEmoteNet, device: torch.device, columns: Tensor) -> Teacher:
    """Turn a trained network into a teacher as `Trainer` takes it.

    Args:
        network: Network in eval mode.
        device: Device that the pupil trains on.
        columns: Index of its logit for each of the pupil's classes, int64 (classes,).
    """
    teacher = TrainingNetwork(network.width, network.fc4.out_features, network_form(device))
    teacher.net.load_state_dict(compact_state(network.state_dict()))
    return _answering(teacher, device, columns)


def _answering(network: Trainable, device: torch.device, columns: Tensor) -> Teacher:
    network = network.placed(device).eval()
    side = PreprocessSpec().height  # the size it was trained for, although the pupil may see smaller images

    def answer(images: Tensor) -> tuple[Tensor]:
        return (network(images)[:, columns],)

    # Launches take longer than the kernels, so answers are recorded as a graph for each size of batch.
    recorded: dict[int, Callable[..., tuple[Tensor, ...]]] = {}

    def ask(images: Tensor) -> Tensor:
        images = resized(images, side)
        if device.type != "cuda" or torch.is_grad_enabled():
            return answer(images)[0]
        if len(images) not in recorded:
            recorded[len(images)] = Captured(answer)
        return recorded[len(images)](images)[0].clone()

    return ask
