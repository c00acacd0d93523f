"""Scheme: the form in which a kind of engine takes its eight bits."""

from dataclasses import dataclass
from typing import Literal

from resemote_edge.errors import InputError

__all__ = ["SCHEMES", "Scheme", "find_scheme"]


@dataclass(frozen=True, kw_only=True)
class Scheme:
    """Rules of quantization.

    Weights are always symmetric int8, one scale per output channel.

    Attributes:
        name: Name in recipes and passports.
        activations: Form of activations. ``u8``: unsigned, with zero point 0 for tensors that are never negative, which
            is everything a layer here reads except the input tensor; ``s8``: symmetric, zero point 0 always; ``none``:
            activations stay floating.
        biases: Form of biases: ``int32`` with the product of both scales, which ONNX Runtime's integer kernels ask for,
            or ``float``, because TensorRT's parser refuses an int32 bias.
        early: Whether to quantize where a tensor is made, so that pooling, gathering and reshaping move bytes.
            Otherwise it is quantized where a layer reads it, and the engine may move quantization through them.
        shortcuts: Whether to quantize the projected shortcut of a residual block too: TensorRT fuses convolution, sum
            and ReLU when the other summand is eight bits.
        weight_levels: Largest magnitude of a weight's integer: 127, or 63 for CPUs without VNNI, whose int16 sums of
            two products would saturate.
    """

    name: str
    activations: Literal["u8", "s8", "none"]
    biases: Literal["float", "int32"] = "float"
    early: bool = True
    shortcuts: bool = False
    weight_levels: int = 127


#: Name to scheme.
SCHEMES: dict[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        Scheme(name="unsigned", activations="u8"),
        Scheme(name="unsigned-7-bit", activations="u8", weight_levels=63),
        Scheme(name="unsigned-int32-bias", activations="u8", biases="int32"),
        Scheme(name="unsigned-int32-bias-7-bit", activations="u8", biases="int32", weight_levels=63),
        Scheme(name="symmetric", activations="s8"),
        Scheme(name="symmetric-late", activations="s8", early=False, shortcuts=True),
        Scheme(name="weights", activations="none"),
    )
}


def find_scheme(name: str) -> Scheme:
    """Return the scheme of that name.

    Raises:
        InputError: No scheme has that name.
    """
    if name not in SCHEMES:
        raise InputError(f"unknown quantization scheme {name!r}", hint=f"choose one of {', '.join(SCHEMES)}")
    return SCHEMES[name]
