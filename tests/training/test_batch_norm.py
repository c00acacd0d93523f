"""Statistics over all processes, by processes that really are several."""

import os
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as multiprocessing

from resemote_edge.training.networks.network import TrainingNetwork

WORLD = 2


def step(x: torch.Tensor, share: slice) -> dict[str, torch.Tensor]:
    """Gradients of a sum over one process's rows, and the running statistics after it; float64."""
    network = TrainingNetwork(4, 7).double()
    network.initialize(torch.Generator().manual_seed(0))
    network.train()
    (network(x[share]) ** 3).sum().backward()
    found = {name: value.grad for name, value in network.named_parameters()}
    return {**found, **{name: value for name, value in network.named_buffers() if value.is_floating_point()}}


def images() -> torch.Tensor:
    return torch.randn(6, 3, 64, 64, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def member(rank: int, folder: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=WORLD)
    # The processes have different numbers of images, and the statistics must weight every image equally.
    found = step(images(), slice(0, 4) if rank == 0 else slice(4, 6))
    torch.save(found, f"{folder}/{rank}.pt")
    dist.barrier()
    dist.destroy_process_group()


def test_two_processes_have_the_gradient_and_the_statistics_of_one(tmp_path: Path):
    os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    multiprocessing.spawn(member, (str(tmp_path),), nprocs=WORLD)
    parts = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(WORLD)]
    for name, expected in step(images(), slice(0, 6)).items():
        if "running" in name:
            found = parts[0][name]
            torch.testing.assert_close(found, parts[1][name], rtol=0, atol=0)
        else:
            found = parts[0][name] + parts[1][name]
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6, msg=lambda text, name=name: f"{name}: {text}")
