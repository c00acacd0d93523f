"""Verify: the exported detector against the file of its weights, on the same pictures; it fails closed."""

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import DetectorArtifact
from resemote_edge.artifacts.passport_base import BaseVerification
from resemote_edge.errors import GateError
from resemote_edge.export.verify import open_for_verification
from resemote_edge.runtimes.registry import get_runtime

__all__ = ["verify_detector"]


def verify_detector(
    artifact: DetectorArtifact, pictures: NDArray[np.uint8], reference: NDArray[np.float32], limit: float, runtime: str
) -> BaseVerification:
    """Compare all outputs.

    If an engine cannot run on this machine, it is verified through the ONNX it was built from, and the result says so.

    Args:
        artifact: Staged artifact with a draft passport.
        pictures: Pictures, uint8 (N, height, width, 3), BGR.
        reference: Values that the network must give, float32 (N, values).
        limit: Largest absolute difference of a value.
        runtime: Runtime of the target.

    Raises:
        GateError: A value is not finite, or differs by more than the limit.
    """
    passport = artifact.passport
    session, engine_verified = open_for_verification(artifact, runtime)
    with session:
        feeds = (passport.feed(picture) for picture in pictures)
        got = np.stack([passport.flatten(session.run({passport.inputs[0].name: feed})) for feed in feeds])
        version = get_runtime(session.runtime).probe().version
    if not np.isfinite(got).all():
        raise GateError(f"{session.runtime}: the exported detector gives NaN or Inf, nothing was exported")
    difference = float(np.abs(got - reference).max())
    if not difference <= limit:
        raise GateError(
            f"nothing was exported, as the detector differs from the file of its weights in {session.runtime}: "
            f"largest difference {difference:.3g} > {limit:.3g}",
            hint="choose another precision",
        )
    return BaseVerification(
        status="passed",
        runtime=session.runtime,
        runtime_version=version or "unknown",
        device=session.device,
        file=session.file.path,
        engine_verified=engine_verified,
        inputs=f"{len(pictures)} drawn pictures",
        samples=len(pictures),
        max_abs_diff=difference,
        max_abs_diff_limit=limit,
    )
