"""explain: where an artifact's time goes, layer by layer, against what the machine can do.

The floor of a layer is the longer of two times: its weights read from memory once, and its multiply-adds at the peak of
the arithmetic it uses. No engine can be faster unless weights stay in a cache between calls.
"""

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifact import Artifact
from resemote_edge.benchmarks.environment import capture_environment
from resemote_edge.benchmarks.probes import MachineProbe, probe_machine
from resemote_edge.data.drawn import drawn_faces
from resemote_edge.errors import InputError
from resemote_edge.passport import LayerWork
from resemote_edge.runtimes.onnxruntime import DISABLED_OPTIMIZERS, engine_options
from resemote_edge.runtimes.openvino import compile_settings
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.runtimes.session import SessionOptions, model_file
from resemote_edge.telemetry import import_onnxruntime, import_openvino

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["Explanation", "LayerTime", "explain", "layer_markdown", "layer_table"]

_WARMUP = 10
_RUNS = 60

#: What lies between the layers: pooling, adding, moving, quantizing, the attention's products.
BETWEEN = "between layers"


class LayerTime(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One layer in one run of the engine; medians.

    Attributes:
        name: Layer, or `BETWEEN` for everything that is none.
        time_us: Time the engine's own profile gives it.
        kernel: What the engine ran for it.
        weight_bytes: Weights as stored.
        multiply_adds: For the whole batch.
        floor_us: Least time this machine needs for either.
    """

    name: str
    time_us: float
    kernel: str
    weight_bytes: int
    multiply_adds: int
    floor_us: float


class Explanation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where the time goes.

    Attributes:
        schema: 1.
        kind: ``explanation``.
        artifact: Name.
        precision: Its precision.
        width: Of the network.
        runtime: Runtime and version.
        batch: Crops per call.
        threads: CPU threads.
        machine: What the machine can do.
        environment: From `capture_environment`.
        layers: In order of execution; `BETWEEN` last.
    """

    schema: int = 1
    kind: str = "explanation"
    artifact: str
    precision: str
    width: int
    runtime: str
    batch: int
    threads: int
    machine: MachineProbe
    environment: dict[str, Any]
    layers: tuple[LayerTime, ...]

    @property
    def time_us(self) -> float:
        """All layers and what lies between."""
        return sum(layer.time_us for layer in self.layers)

    @property
    def floor_us(self) -> float:
        """All floors."""
        return sum(layer.floor_us for layer in self.layers)

    @property
    def conclusion(self) -> str:
        """One sentence."""
        weights = sum(layer.weight_bytes for layer in self.layers)
        products = sum(layer.multiply_adds for layer in self.layers)
        traffic = weights / self.machine.memory_gb_per_s / 1e3
        return (
            f"{weights / 1e6:.1f} MB of weights at {self.machine.memory_gb_per_s:.0f} GB/s are {traffic / 1e3:.2f} ms, "
            f"{products / 1e9:.2f} G multiply-adds at {self._peak:.0f} G/s {products / self._peak / 1e6:.2f} ms; "
            f"layer by layer the floor is {self.floor_us / 1e3:.2f} ms, the engine needs {self.time_us / 1e3:.2f} ms, "
            f"{self.time_us / self.floor_us:.2f} times as long"
        )

    @property
    def _peak(self) -> float:
        return self.machine.int8_gmac_per_s if self.precision == "int8" else self.machine.fp32_gmac_per_s


@dataclass
class _Profile:
    """Times of the engine's nodes, and what it ran for each."""

    times: dict[str, list[float]]
    kernels: dict[str, str]


def explain(artifact: Artifact, runtime: str, *, batch: int, threads: int) -> Explanation:
    """Profile an artifact on the CPU.

    Args:
        artifact: To explain.
        runtime: ``openvino`` or ``onnxruntime``.
        batch: Crops per call.
        threads: CPU threads.

    Returns:
        Time and floor of every layer.

    Raises:
        InputError: Another runtime.
        ResEmoteEdgeError: The artifact cannot run here.
    """
    if runtime not in _PROFILERS:
        raise InputError(f"runtime {runtime} gives no profile; choose one of {', '.join(_PROFILERS)}")
    get_runtime(runtime).check(artifact, SessionOptions(device="cpu", threads=threads))
    feeds = artifact.passport.preprocessing(list(drawn_faces(batch, seed=1)), "rgb")
    profile = _PROFILERS[runtime](artifact, feeds, threads)
    machine = probe_machine(threads)
    passport = artifact.passport
    return Explanation(
        artifact=passport.name,
        precision=passport.precision,
        width=passport.lineage.width,
        runtime=f"{runtime} {get_runtime(runtime).probe().version}",
        batch=batch,
        threads=threads,
        machine=machine,
        environment=capture_environment().to_dict(),
        layers=_per_layer(passport.layers, profile, machine, batch),
    )


def _per_layer(
    works: tuple[LayerWork, ...], profile: _Profile, machine: MachineProbe, batch: int
) -> tuple[LayerTime, ...]:
    times: dict[str, float] = defaultdict(float)
    kernels: dict[str, str] = {}
    names = [work.name for work in works]
    for node, taken in profile.times.items():
        layer = _layer_of(node, names)
        times[layer] += float(np.median(taken))
        kernels.setdefault(layer, profile.kernels[node])
    layers = [
        LayerTime(
            name=work.name,
            time_us=times[work.name],
            kernel=kernels.get(work.name, "fused into another"),
            weight_bytes=work.weights * work.weight_bits // 8,
            multiply_adds=work.multiply_adds * batch,
            floor_us=_floor_us(work, kernels.get(work.name, ""), machine, batch),
        )
        for work in works
    ]
    between = LayerTime(name=BETWEEN, time_us=times[BETWEEN], kernel="", weight_bytes=0, multiply_adds=0, floor_us=0.0)
    return (*layers, between)


def _floor_us(work: LayerWork, kernel: str, machine: MachineProbe, batch: int) -> float:
    integers = re.search("i8|QGemm|QLinear", kernel, re.IGNORECASE) is not None
    peak = machine.int8_gmac_per_s if integers else machine.fp32_gmac_per_s
    reading = work.weights * work.weight_bits / 8 / machine.memory_gb_per_s / 1e3
    return max(reading, work.multiply_adds * batch / peak / 1e3)


def _layer_of(node: str, names: list[str]) -> str:
    """Engines add to a node's name what they fused or inserted: ``fc1/WithoutBiases``, ``conv2_token_11``."""
    stem = re.sub(r"/(WithoutBiases|DequantizationMultiply|duplicated).*|_token_\d+$|_nchwc$", "", node)
    return stem if stem in names else BETWEEN


def _profile_openvino(artifact: Artifact, feeds: NDArray[Any], threads: int) -> _Profile:
    openvino = import_openvino("explaining an artifact")
    core = openvino.Core()
    model = core.read_model(str(artifact.file(model_file(get_runtime("openvino"), artifact))))
    settings = compile_settings(artifact, "cpu", SessionOptions(threads=threads)) | {"PERF_COUNT": True}
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    profile = _Profile(defaultdict(list), {})
    for run in range(_WARMUP + _RUNS):
        request.infer([feeds], share_inputs=True)
        for node in request.profiling_info if run >= _WARMUP else ():
            taken = node.real_time.total_seconds() * 1e6
            if taken > 0:
                profile.times[node.node_name].append(taken)
                profile.kernels[node.node_name] = node.exec_type
    return profile


def _profile_onnxruntime(artifact: Artifact, feeds: NDArray[Any], threads: int) -> _Profile:
    onnxruntime = import_onnxruntime("explaining an artifact")
    profile = _Profile(defaultdict(list), {})
    with tempfile.TemporaryDirectory(prefix="resemote-edge-explain-") as folder:
        options = engine_options(artifact, SessionOptions(threads=threads))
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder, "profile"))
        path = artifact.file(model_file(get_runtime("onnxruntime"), artifact))
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"], disabled_optimizers=DISABLED_OPTIMIZERS
        )
        for _ in range(_WARMUP + _RUNS):
            session.run(None, {artifact.passport.inputs[0].name: feeds})
        events = json.loads(Path(session.end_profiling()).read_bytes())
    suffix = "_kernel_time"
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(suffix):
            name = event["name"].removesuffix(suffix)
            profile.times[name].append(float(event["dur"]))
            profile.kernels[name] = event["args"]["op_name"]
    return _Profile({name: taken[_WARMUP:] for name, taken in profile.times.items()}, profile.kernels)


#: Runtime to what profiles it.
_PROFILERS: dict[str, Callable[[Artifact, NDArray[Any], int], _Profile]] = {
    "openvino": _profile_openvino,
    "onnxruntime": _profile_onnxruntime,
}

_HEADERS = ("layer", "time us", "share", "floor us", "times floor", "weights MB", "M multiply-adds", "kernel")


def _cells(explanation: Explanation, layer: LayerTime) -> tuple[str, ...]:
    return (
        layer.name,
        f"{layer.time_us:.0f}",
        f"{layer.time_us / explanation.time_us * 100:.0f} %",
        f"{layer.floor_us:.0f}" if layer.floor_us else "",
        f"{layer.time_us / layer.floor_us:.1f}" if layer.floor_us and layer.time_us else "",
        f"{layer.weight_bytes / 1e6:.2f}" if layer.weight_bytes else "",
        f"{layer.multiply_adds / 1e6:.1f}" if layer.multiply_adds else "",
        layer.kernel,
    )


def layer_table(explanation: Explanation) -> "Table":
    """The explanation for the screen."""
    from rich.table import Table

    table = Table(
        title=(
            f"{explanation.artifact}, {explanation.runtime}, batch {explanation.batch}, {explanation.threads} threads"
        ),
        caption=explanation.conclusion,
        title_justify="left",
        caption_justify="left",
        box=None,
        header_style="bold",
        pad_edge=False,
    )
    for header in _HEADERS:
        table.add_column(header, justify="left" if header in ("layer", "kernel") else "right")
    for layer in explanation.layers:
        table.add_row(*_cells(explanation, layer))
    return table


def layer_markdown(explanation: Explanation) -> str:
    """The explanation in Markdown, with its conclusion."""
    rules = ["---" if header in ("layer", "kernel") else "---:" for header in _HEADERS]
    rows = [_HEADERS, rules, *(_cells(explanation, layer) for layer in explanation.layers)]
    head = (
        f"{explanation.artifact} (width {explanation.width}), {explanation.runtime}, batch {explanation.batch}, "
        f"{explanation.threads} threads: {explanation.conclusion}."
    )
    return head + "\n\n" + "\n".join("| " + " | ".join(cells) + " |" for cells in rows) + "\n"
