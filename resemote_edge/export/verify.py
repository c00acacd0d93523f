"""The verify stage: compares the exported model with PyTorch, on the same inputs, within the recipe's limits."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from resemote_edge.artifacts.artifact import Artifact, BaseArtifact
from resemote_edge.artifacts.output_format import in_units_of, limit_in_units_of
from resemote_edge.artifacts.passport import Verification
from resemote_edge.errors import GateError, ResEmoteEdgeError
from resemote_edge.export.recipe import VerifyLimits
from resemote_edge.runtimes.registry import get_runtime
from resemote_edge.runtimes.session import Session, SessionOptions

if TYPE_CHECKING:
    from resemote_edge.export.tracing import VerifyInputs

__all__ = ["open_for_verification", "run_all", "verify"]


def verify(
    artifact: Artifact, reference: NDArray[np.float32], inputs: "VerifyInputs", limits: VerifyLimits, runtime: str
) -> Verification:
    """Compare the model's output, logits or probabilities, with the reference's; fail closed.

    If an engine cannot run on this machine, it is verified through the ONNX it was built from, and the result says so.

    Args:
        artifact: Staged artifact with a draft passport.
        reference: Logits that the model must give for the inputs, float32 (N, classes).
        inputs: Inputs to compute.
        limits: Limits of the recipe, on logits.
        runtime: Runtime of the target.

    Returns:
        The measured differences, within the limits.

    Raises:
        GateError: The shape is wrong, a value is not finite, or a limit is missed.
    """
    session, engine_verified = open_for_verification(artifact, runtime)
    with session:
        got = run_all(session, inputs.feeds)
        version = get_runtime(session.runtime).probe().version
    output = artifact.passport.output
    want = in_units_of(output, reference)
    if got.shape != want.shape:
        raise GateError(
            f"{session.runtime}: {output} have shape {got.shape}, PyTorch gives {want.shape}, nothing exported"
        )
    if not np.isfinite(got).all():
        raise GateError(f"{session.runtime}: the exported model gives NaN or Inf, nothing was exported")
    difference = float(np.abs(got - want).max())
    agreement = float((got.argmax(axis=1) == want.argmax(axis=1)).mean())
    result = Verification(
        status="passed",
        runtime=session.runtime,
        runtime_version=version or "unknown",
        device=session.device,
        file=session.file.path,
        engine_verified=engine_verified,
        inputs=inputs.description,
        samples=len(want),
        compared=output,
        max_abs_diff=difference,
        max_abs_diff_limit=limit_in_units_of(output, limits.max_abs_logit_diff),
        top1_agreement=agreement,
        top1_agreement_limit=limits.min_top1_agreement,
    )
    _gate(result)
    return result


def _gate(result: Verification) -> None:
    missed = []
    if not result.max_abs_diff <= result.max_abs_diff_limit:
        missed.append(
            f"largest difference of {result.compared} {result.max_abs_diff:.3g} > {result.max_abs_diff_limit:.3g}"
        )
    if not result.top1_agreement >= result.top1_agreement_limit:
        missed.append(f"top-1 agreement {result.top1_agreement:.4f} < {result.top1_agreement_limit:.4f}")
    if missed:
        raise GateError(
            f"nothing was exported, as the model differs from PyTorch over {result.inputs} in {result.runtime}: "
            f"{'; '.join(missed)}",
            hint="choose another precision, or a recipe with other [verify] limits",
        )


def open_for_verification(artifact: BaseArtifact, runtime: str) -> tuple[Session, str]:
    """Open the session that verifies a staged artifact; ``yes`` if it runs the deployed file, else ``no: `` and why."""
    if artifact.find(get_runtime(runtime).formats) is None:
        return _open_onnx(artifact), "no: the engine is built on the device; its ONNX was run"
    if artifact.passport.engine is None:
        # The CPU is used everywhere, so that an export means the same on every machine.
        return get_runtime(runtime).create_session(artifact, SessionOptions(device="cpu")), "yes"
    try:
        get_runtime(runtime).check(artifact, SessionOptions())
    except ResEmoteEdgeError as error:
        reason = error.reason.replace(f"{artifact.path}: ", "")
        return _open_onnx(artifact), f"no: {reason}; the ONNX it was built from was run"
    return get_runtime(runtime).create_session(artifact, SessionOptions()), "yes"


def _open_onnx(artifact: BaseArtifact) -> Session:
    return get_runtime("onnxruntime").create_session(artifact, SessionOptions(device="cpu"))


def run_all(session: Session, feeds: NDArray[Any]) -> NDArray[np.float32]:
    """Run a session on many feeds, in batches as its artifact allows; the result is float32 (N, classes)."""
    name, output = session.inputs[0].name, session.outputs[0].name
    chunks = session.artifact.passport.batch.chunks(len(feeds), at_most=32)
    return np.concatenate([session.run({name: feeds[chunk]})[output] for chunk in chunks])
