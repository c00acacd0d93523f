"""NodeProfile: the profile of one node of the engine."""

from dataclasses import dataclass

__all__ = ["NodeProfile"]


@dataclass(frozen=True, kw_only=True)
class NodeProfile:
    """One node of the engine's own graph.

    Attributes:
        layer: Layer of the passport whose products the node computes, whatever else was fused into it; None for a node
            that computes no layer's products.
        time_us: Time of one call, by the engine's counters: a median.
        kernel: Kernel that ran, in the engine's words.
        precision: Precision of its arithmetic, as `precisions.BITS` names it; None when the engine does not tell.
        activation_bytes: Bytes it read and wrote besides weights, in one call; None when the engine does not tell.
    """

    layer: str | None
    time_us: float
    kernel: str
    precision: str | None
    activation_bytes: int | None
