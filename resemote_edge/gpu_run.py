"""Export what a GPU is measured with, and measure it: ``python -m resemote_edge.gpu_run -o FOLDER``.

It writes ``gpu.json`` and prints its tables: the published graph, the compact one, and the compact one with small maps
as matrix products, in fp32, tf32, fp16 and bf16, without and with a CUDA graph, beside what the device can do at best.
It stands above export and benchmarks, because it needs both.
"""

import argparse
import math
import multiprocessing
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec

from resemote_edge.artifact import Artifact
from resemote_edge.benchmarks.gpu_latency import GpuOptions, GpuSubject, measure_gpu
from resemote_edge.benchmarks.gpu_results import GRAPHS, gpu_table
from resemote_edge.benchmarks.runner import parse_batches, parse_names
from resemote_edge.errors import InputError, ResEmoteEdgeError
from resemote_edge.staging import write_file
from resemote_edge.weights import embedded_checkpoint

__all__ = ["build_artifacts", "find_subjects", "main"]

#: Graph to its options in a recipe.
_OPTIONS = {
    "reference": {"compact": False, "lowering": "conv"},
    "compact": {"compact": True, "lowering": "conv"},
    "lowered": {"compact": True, "lowering": "matmul"},
}

_PRECISIONS = ("fp32", "fp16")


@dataclass(frozen=True, kw_only=True)
class _Job:
    """Both precisions of one network and graph, in a process of their own."""

    network: str
    graph: str
    checkpoint: str
    folder: str


def build_artifacts(networks: Sequence[str], folder: Path, *, random: bool, processes: int = 1) -> None:
    """Export every graph of networks, in fp32 and fp16, for the runtime ``pytorch``.

    Args:
        networks: Sizes, as `resemote_edge.models.resemotenet.WIDTHS` names them.
        folder: Where the artifacts go, as ``NETWORK-GRAPH-PRECISION``; those that are there are kept.
        random: Random weights of the right shape in place of the embedded ones.
        processes: Exports side by side; they share this machine's cores.

    Raises:
        InputError: There is no network of that name.
        ResEmoteEdgeError: An export failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = []
    for network in networks:
        checkpoint = _random_checkpoint(network, folder) if random else embedded_checkpoint(network)
        jobs += [_Job(network=network, graph=graph, checkpoint=str(checkpoint), folder=str(folder)) for graph in GRAPHS]
    if processes == 1:
        failures = [_export(job) for job in jobs]
    else:
        # A fresh interpreter for each: what PyTorch holds of the GPU cannot be shared with a fork.
        with multiprocessing.get_context("spawn").Pool(min(processes, len(jobs))) as pool:
            failures = pool.map(_export, jobs, chunksize=1)
    failed = [reason for reason in failures if reason is not None]
    if failed:
        raise ResEmoteEdgeError("; ".join(failed))


def _random_checkpoint(network: str, folder: Path) -> Path:
    import torch

    from resemote_edge.models.random_network import random_network
    from resemote_edge.models.resemotenet import WIDTHS

    if network not in WIDTHS:
        raise InputError(f"unknown network {network!r}; choose one of {', '.join(WIDTHS)}")
    path = folder / f"{network}-random.pt"
    if not path.is_file():
        torch.save({"model_state_dict": random_network(WIDTHS[network]).state_dict()}, path)
    return path


def _export(job: _Job) -> str | None:
    """Why it failed; None when it did not. A sentence, because not every exception travels between processes."""
    from resemote_edge.export.pipeline import ExportRequest, export_artifact
    from resemote_edge.export.recipe import find_recipe
    from resemote_edge.labels import RESEMOTENET
    from resemote_edge.models.checkpoint import load_checkpoint

    checkpoint = None
    for precision in _PRECISIONS:
        name = f"{job.network}-{job.graph}-{precision}"
        destination = Path(job.folder) / name
        if destination.is_dir():
            continue
        try:
            checkpoint = checkpoint or load_checkpoint(job.checkpoint, RESEMOTENET)
            recipe = find_recipe(f"any-pytorch-{precision}")
            recipe = msgspec.structs.replace(recipe, graph=msgspec.structs.replace(recipe.graph, **_OPTIONS[job.graph]))
            export_artifact(ExportRequest(checkpoint=checkpoint, recipe=recipe, destination=destination))
        except ResEmoteEdgeError as error:
            return f"{name}: {error}"
    return None


def find_subjects(networks: Sequence[str], folder: Path) -> list[GpuSubject]:
    """The artifacts of `build_artifacts`, the last graph first: it is what would be deployed.

    Raises:
        ArtifactError: One is missing or not whole.
    """
    return [
        GpuSubject(artifact=Artifact.load(folder / f"{network}-{graph}-{precision}"), network=network, graph=graph)
        for network in networks
        for graph in reversed(GRAPHS)
        for precision in _PRECISIONS
    ]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m resemote_edge.gpu_run", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    parser.add_argument("-o", "--output", type=Path, help="folder to write gpu.json into")
    parser.add_argument("--device", default="cuda:0", help="cuda:N, or cpu for a rehearsal (default cuda:0)")
    parser.add_argument("--networks", default="base,s", help="sizes of the embedded weights (default base,s)")
    parser.add_argument("--random", action="store_true", help="random weights of the same shapes")
    parser.add_argument("--artifacts", type=Path, help="folder to export into; exports in it are kept")
    parser.add_argument("--processes", type=int, default=1, help="exports side by side (default 1)")
    parser.add_argument("--export-only", action="store_true", help="export into --artifacts, and measure nothing")
    parser.add_argument("--batches", default="1,8,32,256", help="crops per call (default 1,8,32,256)")
    parser.add_argument("--seconds", type=float, default=math.inf, help="start no further row after these seconds")
    parser.add_argument("--round-seconds", type=float, default=0.15, help="longest round, of two (default 0.15)")
    parser.add_argument("--probe-side", type=int, default=8192, help="rows of the matrices of the probe (default 8192)")
    parser.add_argument("--no-profile", action="store_true", help="do not profile kernels")
    parser.add_argument("--force", action="store_true", help="replace gpu.json")
    return parser


def main(arguments: Sequence[str]) -> int:
    """Export and measure what the arguments name; returns the exit code."""
    chosen = _parser().parse_args(arguments)
    try:
        _run(chosen)
    except ResEmoteEdgeError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _run(chosen: argparse.Namespace) -> None:
    if chosen.processes < 1 or chosen.probe_side < 1:
        raise InputError("--processes and --probe-side start at 1")
    if chosen.export_only and chosen.artifacts is None:
        raise InputError("--export-only needs --artifacts: the folder to export into")
    if not chosen.export_only and chosen.output is None:
        raise InputError("-o is missing: the folder to write gpu.json into")
    networks = parse_names(chosen.networks)
    on_gpu = chosen.device != "cpu"
    options = GpuOptions(
        device=chosen.device,
        batches=parse_batches(chosen.batches),
        seconds=chosen.seconds,
        round_seconds=chosen.round_seconds,
        profile=on_gpu and not chosen.no_profile,
        probe_side=chosen.probe_side,
        probe_bytes=2**30 if on_gpu else 2**28,
    )
    path = None if chosen.output is None else chosen.output / "gpu.json"
    if path is not None and path.exists() and not chosen.force:
        raise InputError(f"{path} exists; pass --force to replace it")
    with ExitStack() as stack:
        folder = chosen.artifacts or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        build_artifacts(networks, folder, random=chosen.random, processes=chosen.processes)
        if chosen.export_only or path is None:
            return
        weights = "random weights" if chosen.random else "embedded weights"
        subjects = find_subjects(networks, folder)
        report = measure_gpu(subjects, weights, options, lambda text: print(text, file=sys.stderr, flush=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, report.to_json())
    print("\n".join(gpu_table(report, name) for name in ("device", "", "percentiles")))
    for one in report.unmeasured:
        print(f"not measured: {one.what}: {one.reason}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
