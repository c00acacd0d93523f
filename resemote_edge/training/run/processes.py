"""Processes: one, or as many as torchrun started."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor

from resemote_edge.errors import DeviceUnavailableError, InputError

__all__ = ["Processes", "choose_device", "joined"]


@dataclass(frozen=True)
class Processes:
    """Place of this process among those that train together.

    Attributes:
        rank: Number of this process, from 0; only rank 0 writes.
        world: Number of processes.
        device: Device of this process.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def total(self, *values: float) -> tuple[float, ...]:
        """Return sums over all processes, the same on each."""
        if self.world == 1:
            return values
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor)
        return tuple(tensor.tolist())

    def same(self, state: list[Tensor]) -> None:
        """Give every process rank 0's tensors, in place."""
        if self.world > 1:
            for tensor in state:
                dist.broadcast(tensor, 0)

    def wait(self) -> None:
        """Wait until every process has called this."""
        if self.world > 1:
            dist.barrier()


@contextmanager
def joined(device: str) -> Iterator[Processes]:
    """Join the processes that torchrun started, if it started any.

    Args:
        device: Device asked for: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; if there are several processes, each takes
            the card of its local rank.

    Yields:
        This process's place; the group is left at the end.

    Raises:
        DeviceUnavailableError: There is no such device here.
        InputError: Only some of torchrun's variables are set.
    """
    world = int(os.environ.get("WORLD_SIZE", "1"))
    chosen = choose_device(device, int(os.environ.get("LOCAL_RANK", "0")) if world > 1 else None)
    if world == 1:
        yield Processes(0, 1, chosen)
        return
    absent = [name for name in ("RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT") if name not in os.environ]
    if absent:
        raise InputError(
            f"WORLD_SIZE is {world}, but {', '.join(absent)} is not set", hint="start the command with torchrun"
        )
    if chosen.type == "cuda":
        torch.cuda.set_device(chosen)
    dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
    try:
        yield Processes(dist.get_rank(), dist.get_world_size(), chosen)
    finally:
        dist.destroy_process_group()


def choose_device(name: str, local_rank: int | None = None) -> torch.device:
    """Return the device asked for; ``auto`` is a card if there is one.

    Args:
        name: Name of the device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        local_rank: Card to take for ``auto`` and ``cuda``; None for the first.

    Raises:
        DeviceUnavailableError: A card was asked for and there is none, or not that one.
        InputError: The name is another.
    """
    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    kind, _, index = name.partition(":")
    if (kind not in ("auto", "cuda")) or (index and not index.isdigit()):
        raise InputError(f"unknown device {name!r}", hint="choose auto, cpu, cuda or cuda:0")
    if not torch.cuda.is_available():
        raise DeviceUnavailableError(
            f"device {name} was asked for, and this PyTorch ({torch.__version__}) finds no CUDA card",
            hint="pass --device cpu, or install a CUDA build of torch",
        )
    number = int(index) if index else (local_rank or 0)
    if number >= torch.cuda.device_count():
        raise DeviceUnavailableError(
            f"no card cuda:{number}, this machine has {torch.cuda.device_count()}", hint="pass another --device"
        )
    return torch.device("cuda", number)
