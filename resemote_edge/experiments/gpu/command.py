"""``python -m resemote_edge.experiments gpu``: exports graphs and measures them on a GPU."""

import math
import multiprocessing
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import click

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.files import write_file
from resemote_edge.cli.output import parse_batches, parse_names
from resemote_edge.errors import InputError, ResEmoteEdgeError
from resemote_edge.experiments.gpu.latency import GpuOptions, GpuSubject, measure_gpu
from resemote_edge.experiments.gpu.results import GRAPHS, gpu_table
from resemote_edge.labels import RESEMOTENET
from resemote_edge.weights import embedded_checkpoint

__all__ = ["build_artifacts", "find_subjects", "gpu"]

#: Graph to the options it is exported with.
_OPTIONS: dict[str, Any] = {
    "reference": {"compact": False, "lowering": "conv"},
    "compact": {"compact": True, "lowering": "conv"},
    "lowered": {"compact": True, "lowering": "matmul"},
}

_PRECISIONS = ("fp32", "fp16")


def build_artifacts(networks: Sequence[str], folder: Path, *, random: bool, processes: int = 1) -> None:
    """Export every graph of networks, in fp32 and fp16, for the runtime ``pytorch``.

    Args:
        networks: Sizes of networks, as `resemote_edge.models.resemotenet.WIDTHS` names them.
        folder: Folder for the artifacts, named ``NETWORK-GRAPH-PRECISION``; existing ones are kept.
        random: Whether to use random weights of the right shape instead of the embedded ones.
        processes: Number of exports side by side; they share this machine's cores.

    Raises:
        InputError: There is no network of that name.
        ResEmoteEdgeError: An export failed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    jobs = []
    for network in networks:
        checkpoint = _random_checkpoint(network, folder) if random else embedded_checkpoint(network)
        jobs += [(network, graph, checkpoint, folder) for graph in GRAPHS]
    if processes == 1:
        failures = [_export(*job) for job in jobs]
    else:
        # Fresh interpreters, because a fork cannot share PyTorch's GPU state.
        with multiprocessing.get_context("spawn").Pool(min(processes, len(jobs))) as pool:
            failures = pool.starmap(_export, jobs, chunksize=1)
    failed = [reason for reason in failures if reason is not None]
    if failed:
        raise ResEmoteEdgeError("; ".join(failed))


def _random_checkpoint(network: str, folder: Path) -> Path:
    import torch

    from resemote_edge.models.random_network import random_network
    from resemote_edge.models.resemotenet import WIDTHS

    if network not in WIDTHS:
        raise InputError(f"unknown network {network!r}", hint=f"choose one of {', '.join(WIDTHS)}")
    path = folder / f"{network}-random.pt"
    if not path.is_file():
        torch.save({"model_state_dict": random_network(WIDTHS[network]).state_dict()}, path)
    return path


def _export(network: str, graph: str, checkpoint: Path, folder: Path) -> str | None:
    """Export both precisions; return why one failed, as text because not every exception can be pickled."""
    from resemote_edge.export.command import ExportOptions, run_export
    from resemote_edge.export.context import ExportContext

    context = ExportContext()
    for precision in _PRECISIONS:
        name = f"{network}-{graph}-{precision}"
        if (folder / name).is_dir():
            continue
        options = ExportOptions(
            checkpoint=checkpoint,
            recipe=f"any-pytorch-{precision}",
            labels=",".join(RESEMOTENET),
            output=folder / name,
            **_OPTIONS[graph],
        )
        try:
            run_export(options, context=context)
        except ResEmoteEdgeError as error:
            return f"{name}: {error}"
    return None


def find_subjects(networks: Sequence[str], folder: Path) -> list[GpuSubject]:
    """Find the artifacts of `build_artifacts`, beginning with the last graph, which is the one to deploy.

    Raises:
        ArtifactError: An artifact is missing or not whole.
    """
    return [
        GpuSubject(artifact=Artifact.load(folder / f"{network}-{graph}-{precision}"), network=network, graph=graph)
        for network in networks
        for graph in reversed(GRAPHS)
        for precision in _PRECISIONS
    ]


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Folder to write gpu.json into.")
@click.option(
    "--device", default="cuda:0", show_default=True, help="Device to measure: cuda:N, or cpu for a rehearsal."
)
@click.option("--networks", default="base,s", show_default=True, help="Networks to measure, separated by commas.")
@click.option("--random", "random_weights", is_flag=True, help="Use random weights instead of the embedded ones.")
@click.option(
    "--artifacts",
    type=click.Path(path_type=Path),
    help="Folder to export into. Exports that are already there are used.",
)
@click.option(
    "--processes",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Number of exports that run side by side.",
)
@click.option("--export-only", is_flag=True, help="Export into --artifacts without measuring.")
@click.option("--batches", default="1,8,32,256", show_default=True, help="Numbers of crops per call.")
@click.option("--seconds", type=float, default=math.inf, help="Seconds after which no further row is started.")
@click.option(
    "--round-seconds",
    type=float,
    default=0.15,
    show_default=True,
    help="Longest duration of each of the two rounds, in seconds.",
)
@click.option(
    "--probe-side",
    type=click.IntRange(min=1),
    default=8192,
    show_default=True,
    help="Rows and columns of the matrices that the peak is measured with.",
)
@click.option("--no-profile", is_flag=True, help="Do not profile kernels.")
@click.option("--force", is_flag=True, help="Replace an earlier gpu.json.")
def gpu(
    output: Path | None,
    device: str,
    networks: str,
    random_weights: bool,
    artifacts: Path | None,
    processes: int,
    export_only: bool,
    batches: str,
    no_profile: bool,
    force: bool,
    **measure: Any,
) -> None:
    """Measure PyTorch on a GPU.

    The command measures three forms of the graph (as published, compact, and compact with small maps as matrix
    products) in fp32, tf32, fp16 and bf16, without and with a CUDA graph, and the bandwidth and arithmetic peaks of the
    device. It writes gpu.json and prints its tables.

    \b
    Example:
      python -m resemote_edge.experiments gpu -o benchmarks/results/my-card
    """
    if export_only and artifacts is None:
        raise InputError("--export-only exports into a folder, and none was named", hint="pass --artifacts")
    if not export_only and output is None:
        raise InputError("no folder was named to write gpu.json into", hint="pass -o")
    names = parse_names(networks)
    on_gpu = device != "cpu"
    options = GpuOptions(
        device=device,
        batches=parse_batches(batches),
        profile=on_gpu and not no_profile,
        probe_bytes=2**30 if on_gpu else 2**28,
        **measure,
    )
    path = None if output is None else output / "gpu.json"
    if path is not None and path.exists() and not force:
        raise InputError(f"{path} exists", hint="pass --force to replace it")
    with ExitStack() as stack:
        folder = artifacts or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        build_artifacts(names, folder, random=random_weights, processes=processes)
        if export_only or path is None:
            return
        weights = "random weights" if random_weights else "embedded weights"
        report = measure_gpu(find_subjects(names, folder), weights, options, partial(click.echo, err=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, report.to_json())
    for name in ("device", "", "percentiles"):
        click.echo(gpu_table(report, name))
    for one in report.unmeasured:
        click.echo(f"not measured: {one.what}: {one.reason}")
