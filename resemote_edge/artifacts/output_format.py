"""Output of an artifact, logits or probabilities, and how the two compare.

The names double as the names of the output tensors, so that a model file alone says which it is.
"""

from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LOGITS",
    "PROBABILITIES",
    "OutputFormat",
    "in_units_of",
    "limit_in_units_of",
    "log_probabilities",
    "softmax",
]

OutputFormat: TypeAlias = Literal["logits", "probabilities"]

LOGITS: OutputFormat = "logits"
PROBABILITIES: OutputFormat = "probabilities"

# A probability below the smallest normal float32 may have been flushed to zero by the engine; its log would be -inf.
_SMALLEST = float(np.finfo(np.float32).tiny)


def softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    """Probabilities of logits (N, classes), computed in float64 so that rows sum to 1 to the last digit shown."""
    shifted = logits.astype(np.float64) - logits.max(axis=1, keepdims=True, initial=-np.inf)
    exponentials = np.exp(shifted)
    result: NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
    return result


def log_probabilities(probabilities: NDArray[Any]) -> NDArray[np.float32]:
    """Logarithms of probabilities (N, classes): the logits up to a constant per row; at least -87.34, never -inf."""
    result: NDArray[np.float32] = np.log(np.maximum(probabilities, _SMALLEST)).astype(np.float32)
    return result


def in_units_of(output: OutputFormat, logits: NDArray[np.float32]) -> NDArray[Any]:
    """Output that a model of this kind should give where a reference gives these logits.

    Args:
        output: Kind of output of the model.
        logits: Logits of the reference, float32 (N, classes), finite.

    Returns:
        (N, classes): the logits themselves, or their probabilities in float64.
    """
    return softmax(logits) if output == PROBABILITIES else logits


def limit_in_units_of(output: OutputFormat, logit_limit: float) -> float:
    """Turn a limit on a difference of logits into the limit on a difference of outputs.

    For probabilities it is half as large. The row of softmax's Jacobian that belongs to p_i has the absolute sum
    2 p_i (1 - p_i), at most 1/2, so in the maximum norm 1/2 is softmax's Lipschitz constant: whatever keeps the logit
    limit keeps this one.
    """
    return 0.5 * logit_limit if output == PROBABILITIES else logit_limit
