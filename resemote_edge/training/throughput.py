"""Training as a contestant of a contest: a call is one step, always on the same images."""

import json
import os
import socket
import subprocess
import sys
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch.nn.parallel import DistributedDataParallel

from resemote_edge.errors import InputError
from resemote_edge.measuring.processes.contestant import Opened
from resemote_edge.training.config import load_config
from resemote_edge.training.images.randomness import generator_at
from resemote_edge.training.networks.network import TrainingNetwork
from resemote_edge.training.run.hardware import autocast_dtype, keep_freed_memory
from resemote_edge.training.trainer import new_optimizer

__all__ = ["FORMS", "open_training"]

#: Forms in which the network may be written; see `TrainingNetwork`.
FORMS = ("reference", "compact", "patches")

_CLASSES = 7


def open_training(
    *, form: str, precision: str, processes: int, width: int, threads: int, batch: int, seed: int = 0
) -> Opened:
    """Open a network for training on the CPU; a call is one whole step: forward, backward, optimizer.

    Args:
        form: Form of the network, one of `FORMS`.
        precision: Precision of the products, ``fp32`` or ``bf16``.
        processes: Processes that share each batch, and the threads.
        width: Channels of the first convolution.
        threads: Number of CPU threads over all processes.
        batch: Images per step over all processes.
        seed: Seed of weights and images.

    Returns:
        The opened network, with the facts ``runtime`` and ``model_size_bytes``, the size of the trained parameters.

    Raises:
        InputError: Threads or batch cannot be shared equally.
    """
    if threads % processes or batch % processes:
        raise InputError(f"{threads} threads and batches of {batch} cannot be shared equally by {processes} processes")
    arguments: dict[str, Any] = {
        "form": form,
        "precision": precision,
        "width": width,
        "threads": threads // processes,
        "batch": batch // processes,
        "seed": seed,
    }
    step = _Step(**arguments)
    helpers = _start_helpers(arguments, processes) if processes > 1 else []
    step.join(0, processes)
    facts: dict[str, Any] = {
        "runtime": f"pytorch {torch.__version__}",
        "model_size_bytes": sum(value.numel() * value.element_size() for value in step.network.parameters()),
    }

    def call() -> None:
        if helpers:
            dist.broadcast(torch.ones(1), 0)  # the others wait for it before every step
        step.take()

    return Opened(call=call, facts=facts)


class _Step:
    """One process's part of a step."""

    def __init__(self, *, form: str, precision: str, width: int, threads: int, batch: int, seed: int) -> None:
        keep_freed_memory()
        torch.set_num_threads(threads)
        self.network = TrainingNetwork(width, _CLASSES, form)
        self.network.initialize(generator_at(seed, "weights"))
        self.network = self.network.placed(torch.device("cpu")).train()
        self._shared: torch.nn.Module = self.network
        self._dtype = autocast_dtype(precision, torch.device("cpu"))
        self._optimizer = new_optimizer(self.network, load_config("base"))
        generator = generator_at(seed, "augmentation")
        images = torch.randn(batch, 3, 64, 64, generator=generator)
        self._images = images.contiguous(memory_format=torch.channels_last)
        self._targets = torch.randint(0, _CLASSES, (batch,), generator=generator)

    def join(self, rank: int, processes: int) -> None:
        if processes > 1:
            dist.init_process_group("gloo", rank=rank, world_size=processes)
            self._shared = DistributedDataParallel(self.network)

    def take(self) -> None:
        with torch.autocast("cpu", self._dtype or torch.bfloat16, enabled=self._dtype is not None):
            logits = self._shared(self._images)
        loss = F.cross_entropy(logits.float(), self._targets)
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()


def _start_helpers(arguments: dict[str, Any], processes: int) -> list[subprocess.Popen[bytes]]:
    """Start the processes of rank 1 and up; each ends when this one leaves the group."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": str(arguments["threads"])}
    program = f"from {__name__} import _help; import sys; _help(*sys.argv[1:])"
    given = json.dumps(arguments)
    return [
        subprocess.Popen([sys.executable, "-c", program, str(rank), str(processes), given])
        for rank in range(1, processes)
    ]


def _help(rank: str, processes: str, arguments: str) -> None:
    step = _Step(**json.loads(arguments))
    step.join(int(rank), int(processes))
    try:
        while True:
            dist.broadcast(torch.ones(1), 0)
            step.take()
    except RuntimeError:  # Rank 0 has ended, and with it the measurement.
        return
