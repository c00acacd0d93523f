"""Explanation: where an artifact's time goes, layer by layer, compared with what the machine can do.

The floor of a layer is the longer of two times: its weights read from memory once, and its multiply-adds at the peak of
the arithmetic it ran in. No engine can be faster in that arithmetic unless weights stay in a cache between calls.
Weights count in their stored bits or in those of the arithmetic, whichever are fewer: an engine that unpacks them when
it loads them reads more than it has to.
"""

from functools import partial
from typing import Any

from resemote_edge.artifacts.artifact import Artifact
from resemote_edge.artifacts.passport import LayerWork, Passport
from resemote_edge.artifacts.record import Record, Strict, read_record, utc_now
from resemote_edge.errors import InputError
from resemote_edge.machine.environment import capture_environment, check_environment
from resemote_edge.measuring.probes import MachineProbe, probe_machine
from resemote_edge.measuring.profiles import NodeProfile, choose_runtime, profile_nodes
from resemote_edge.measuring.profiles.precisions import BITS, promised_precision
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.runtimes.session import PrecisionHint, SessionOptions
from resemote_edge.vision.drawn import drawn_faces

__all__ = ["BETWEEN", "EXPLANATION_SCHEMA", "Explanation", "LayerTime", "explain", "read_explanation"]

EXPLANATION_SCHEMA = 2

#: Operations between the layers: pooling, adding, moving, quantizing, the attention's products.
BETWEEN = "between layers"

_FUSED = "fused into another"


class LayerTime(Strict, frozen=True, kw_only=True):
    """One layer in one call of the engine.

    Attributes:
        name: Name of the layer, or `BETWEEN` for all operations outside layers.
        time_us: Time that the engine's own profile gives it.
        kernel: Kernel that the engine ran for it.
        precision: Precision of its arithmetic, by the engine; None if it does not tell, or it was not recorded.
        promised: Precision that the artifact promises for it, or that was asked for; None if it was not recorded.
        weights: Number of weights it holds; None if it was not recorded.
        weight_bytes: Bytes of the weights as stored.
        weight_bytes_read: Fewest bytes the engine has to read for them; None if it was not recorded.
        activation_bytes: Bytes its kernel read and wrote besides weights; None if the engine does not tell.
        multiply_adds: Multiply-adds for the whole batch.
        floor_us: Time of reading its weights or of its multiply-adds at the machine's best, whichever is longer;
            without a peak for its precision, the time of its weights.
    """

    name: str
    time_us: float
    kernel: str
    precision: str | None = None
    promised: str | None = None
    weights: int | None = None
    weight_bytes: int
    weight_bytes_read: int | None = None
    activation_bytes: int | None = None
    multiply_adds: int
    floor_us: float

    @property
    def least_weight_bytes(self) -> int:
        """Fewest bytes of weights to read; the stored bytes if nothing else was recorded."""
        return self.weight_bytes if self.weight_bytes_read is None else self.weight_bytes_read

    @property
    def unpacked_weight_bytes(self) -> int:
        """Bytes of weights in the type that the layer computed in; `least_weight_bytes` if that is not known."""
        if self.weights is None or self.precision is None:
            return self.least_weight_bytes
        return max(self.least_weight_bytes, self.weights * BITS[self.precision] // 8)

    @property
    def deviates(self) -> bool:
        """Whether the layer is known to have run in another precision than promised."""
        return None not in (self.precision, self.promised) and self.precision != self.promised

    @property
    def operations_per_byte(self) -> float | None:
        """Arithmetic intensity: two operations per multiply-add, over bytes of weights and activations."""
        if self.activation_bytes is None or not self.multiply_adds:
            return None
        return 2 * self.multiply_adds / (self.least_weight_bytes + self.activation_bytes)

    @property
    def goperations_per_s(self) -> float | None:
        """Speed reached, in 1e9 operations a second, two per multiply-add; None if the profile gives it no time."""
        return 2 * self.multiply_adds / self.time_us / 1e3 if self.time_us and self.multiply_adds else None


class Explanation(Record, frozen=True, kw_only=True):
    """Times and floors of an artifact's layers in one runtime.

    Attributes:
        schema: Schema of the record, `EXPLANATION_SCHEMA`.
        kind: Kind of the record, ``explanation``.
        created_utc: Time of writing, ISO 8601, seconds; None if it was not recorded.
        artifact: Name of the artifact.
        precision: Precision of the artifact.
        precision_hint: Precision hint, as in `SessionOptions`.
        width: Width of the network.
        runtime: Name and version of the runtime.
        batch: Crops per call.
        threads: Number of CPU threads.
        machine: Peak figures of the machine.
        environment: Record of the machine, from `capture_environment`.
        layers: Layers in order of execution; `BETWEEN` last.
    """

    schema: int = EXPLANATION_SCHEMA
    kind: str = "explanation"
    created_utc: str | None = None
    artifact: str
    precision: str
    precision_hint: PrecisionHint | None = None
    width: int
    runtime: str
    batch: int
    threads: int
    machine: MachineProbe
    environment: dict[str, Any]
    layers: tuple[LayerTime, ...]

    def __post_init__(self) -> None:
        """Refuse an environment whose facts are of other types."""
        check_environment(self.environment)

    @property
    def time_us(self) -> float:
        """Time of all layers and of the operations between them."""
        return sum(layer.time_us for layer in self.layers)

    @property
    def ran_in(self) -> str:
        """Name runtime, batch and threads in words."""
        threads = f"{self.threads} thread{'s' if self.threads > 1 else ''}"
        hint = "" if self.precision_hint is None else f", {self.precision_hint} hint"
        return f"{self.runtime}, batch {self.batch}, {threads}{hint}"

    @property
    def between_us(self) -> float:
        """Time of the operations between the layers."""
        return sum(layer.time_us for layer in self.layers if layer.name == BETWEEN)

    @property
    def floor_us(self) -> float:
        """Sum of all floors."""
        return sum(layer.floor_us for layer in self.layers)


#: Reads an explanation back; see `read_record`.
read_explanation = partial(read_record, kind=Explanation, what="an explanation", schema=EXPLANATION_SCHEMA)


def explain(
    artifact: Artifact,
    runtime: str = "auto",
    *,
    batch: int,
    threads: int,
    precision_hint: PrecisionHint | None = None,
    machine: MachineProbe | None = None,
) -> Explanation:
    """Profile an artifact on the CPU, and probe the CPU.

    Args:
        artifact: Artifact to explain.
        runtime: Runtime that gives a profile, or ``auto``; see `choose_runtime`.
        batch: Crops per call.
        threads: Number of CPU threads.
        precision_hint: Precision hint, as in `SessionOptions`.
        machine: Peak figures of the machine with as many threads; None to measure them.

    Returns:
        Time, floor and precision of every layer.

    Raises:
        InputError: The runtime gives no profile, the batch is outside the artifact's range, or the passport lists no
            layers.
        ResEmoteEdgeError: The artifact cannot run here.
    """
    options = SessionOptions(device="cpu", threads=threads, precision_hint=precision_hint)
    passport = artifact.passport
    if not passport.layers:
        raise InputError(f"{artifact.path}: its passport lists no layers to explain", hint="export it again")
    passport.batch.check(batch)
    chosen = choose_runtime(artifact, runtime, options)
    feeds = passport.preprocessing(list(drawn_faces(batch, seed=1)), "rgb")
    nodes = profile_nodes(artifact, chosen, feeds, options)
    machine = machine or probe_machine(threads)
    return Explanation(
        created_utc=utc_now(),
        artifact=passport.name,
        precision=passport.precision,
        precision_hint=precision_hint,
        width=passport.lineage.width,
        runtime=f"{chosen} {get_runtime(chosen).probe().version}",
        batch=batch,
        threads=threads,
        machine=machine,
        environment=capture_environment().to_dict(),
        layers=_layers(passport, nodes, machine, batch, precision_hint),
    )


def _layers(
    passport: Passport, nodes: tuple[NodeProfile, ...], machine: MachineProbe, batch: int, hint: str | None
) -> tuple[LayerTime, ...]:
    layers = []
    for work in passport.layers:
        mine = [node for node in nodes if node.layer == work.name]
        layers.append(_layer(work, mine, machine, batch, promised_precision(passport, work.name, hint)))
    between = sum(node.time_us for node in nodes if node.layer is None)
    last = LayerTime(name=BETWEEN, time_us=between, kernel="", weight_bytes=0, multiply_adds=0, floor_us=0.0)
    return (*layers, last)


def _layer(work: LayerWork, nodes: list[NodeProfile], machine: MachineProbe, batch: int, promised: str) -> LayerTime:
    main = max(nodes, key=lambda node: node.time_us, default=None)
    precision = None if main is None else main.precision
    bits = work.weight_bits if precision is None else min(work.weight_bits, BITS[precision])
    read, products = work.weights * bits // 8, work.multiply_adds * batch
    peak = machine.gmac_per_s(precision)
    computing_us = 0.0 if peak is None else products / peak / 1e3
    return LayerTime(
        name=work.name,
        time_us=sum(node.time_us for node in nodes),
        kernel=_FUSED if main is None else main.kernel,
        precision=precision,
        promised=promised,
        weights=work.weights,
        weight_bytes=work.weights * work.weight_bits // 8,
        weight_bytes_read=read,
        activation_bytes=None if main is None else main.activation_bytes,
        multiply_adds=products,
        floor_us=max(read / machine.memory_gb_per_s / 1e3, computing_us),
    )
