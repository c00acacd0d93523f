"""Precisions: what engines call them, and which of them an artifact promises for a layer."""

import re

from resemote_edge.artifacts.passport import Passport

__all__ = ["BITS", "precision_of_kernel", "precision_of_type", "promised_precision"]

#: Our name of a precision, to the bits of an operand.
BITS: dict[str, int] = {"fp32": 32, "bf16": 16, "fp16": 16, "int8": 8}

#: Element types as OpenVINO, its kernels and ONNX Runtime spell them, in lower case.
_TYPES: dict[str, str] = {
    **dict.fromkeys(("f32", "fp32", "float", "float32"), "fp32"),
    **dict.fromkeys(("bf16", "bfloat16"), "bf16"),
    **dict.fromkeys(("f16", "fp16", "float16", "half"), "fp16"),
    **dict.fromkeys(("i8", "u8", "int8", "uint8"), "int8"),
}

#: Operators of ONNX Runtime that multiply integers, whatever the type of their inputs.
_INTEGER_OPERATOR = re.compile(r"QLinear|QGemm|Integer|DynamicQuantize")


def precision_of_type(name: str) -> str | None:
    """Precision of arithmetic on an element type, by the engine's name of it; None for others, such as ``int64``."""
    return _TYPES.get(name.lower())


def precision_of_kernel(kernel: str) -> str | None:
    """Precision that a kernel's name states; None if it states none.

    OpenVINO ends the name with the type of the activations (``brgemm_avx512_I8``, ``brgconv_avx2_f32``). Weights may
    be stored in another type and unpacked on the way. ONNX Runtime names operators: ``QGemm`` states the precision,
    ``Gemm`` does not.
    """
    if _INTEGER_OPERATOR.search(kernel):
        return "int8"
    return precision_of_type(kernel.rpartition("_")[2])


def promised_precision(passport: Passport, layer: str, hint: str | None = None) -> str:
    """Precision that a layer's arithmetic should be in.

    Args:
        passport: Passport of the artifact. ``int8`` promises eight bits for the layers it lists, and no others; ``w8``
            promises nothing but small weights.
        layer: Name of the layer.
        hint: Precision that floating layers were asked to run in instead; see `SessionOptions.precision_hint`.
    """
    quantization = passport.quantization
    if quantization is not None and quantization.activations != "float" and layer in quantization.layers:
        return "int8"
    if hint is not None:
        return hint
    return "fp16" if passport.precision == "fp16" else "fp32"
