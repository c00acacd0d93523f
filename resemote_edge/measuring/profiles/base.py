"""NodeProfile: the profile of one node of the engine."""

from dataclasses import dataclass

__all__ = ["NodeProfile"]


@dataclass(frozen=True, kw_only=True)
class NodeProfile:
    """One node of the engine's own graph.

    Attributes:
        layer: Layer of the passport whose products the node computes, alone or fused with others; None if it computes
            no layer's products.
        time_us: Median time of one call, by the engine's counters.
        kernel: Kernel that ran, as the engine names it.
        precision: Precision of its arithmetic, as `precisions.BITS` names it; None if the engine does not tell.
        activation_bytes: Bytes it read and wrote besides weights, in one call; None if the engine does not tell.
    """

    layer: str | None
    time_us: float
    kernel: str
    precision: str | None
    activation_bytes: int | None
